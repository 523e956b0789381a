// Parts of a page that keep themselves up to date: <section id="today" data-live="/dashboard/today" data-etag='"3"'>.
// The URL answers the same element (by its id) with an ETag, or 304. Nothing is held open; a hidden tab asks nothing.
// `data-announce` of the new element is said aloud when it differs. A `.live-state` in the element, or else on the page,
// says since when the connection is gone.

import { announce } from "./frame.js";

const EVERY = 2_000; // ms
const SLOWEST = 10_000; // ms, after errors
const GONE = new Set([401, 403, 404, 410]);

class Live {
  constructor(element) {
    this.id = element.id;
    this.url = element.dataset.live;
    this.etag = element.dataset.etag ?? "";
    this.wait = EVERY;
    this.shownAt = new Date();
    this.schedule();
  }

  get element() {
    return document.getElementById(this.id);
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), this.wait);
  }

  async look() {
    clearTimeout(this.timer);
    if (this.isLooking || document.hidden) return; // becoming visible looks again
    if (!this.element) return parts.delete(this.id);
    this.isLooking = true;
    try {
      const again = await this.ask();
      if (!again) return this.stop();
      this.wait = EVERY;
      this.shownAt = new Date();
      this.say("");
    } catch {
      this.wait = Math.min(this.wait * 2, SLOWEST);
      this.say(`Not connected, showing ${clock(this.shownAt)}`);
    } finally {
      this.isLooking = false;
    }
    this.schedule();
  }

  /** False when there will never be an answer again. */
  async ask() {
    const headers = { "X-Requested-With": "live" };
    if (this.etag) headers["If-None-Match"] = this.etag;
    const answer = await fetch(this.url, { headers, redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(8_000) });
    if (answer.type === "opaqueredirect" || GONE.has(answer.status)) return false;
    if (answer.status === 304) return true;
    if (!answer.ok) throw new Error(`${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById(this.id);
    if (!next) return false;
    if (!isTyping(this.element)) {
      this.etag = answer.headers.get("ETag") ?? next.dataset.etag ?? "";
      replace(this.element, next);
    }
    return true;
  }

  stop() {
    parts.delete(this.id);
    this.say(`No longer updated since ${clock(this.shownAt)}. Reload the page.`);
  }

  say(text) {
    const place = this.element?.querySelector(".live-state") ?? document.querySelector(".live-state");
    if (!place || place.textContent === text) return;
    place.textContent = text;
    announce(text);
  }
}

/** What is typed but not sent must not vanish: the part waits until one has left the field. */
function isTyping(element) {
  const field = document.activeElement;
  return element.contains(field) && field.matches("input:not([type='checkbox'], [type='radio']), textarea, select");
}

/** Put the new element in the old one's place; focus, opened details and scroll positions stay. */
function replace(old, next) {
  const focused = old.contains(document.activeElement) ? path(old, document.activeElement) : null;
  const opened = [...old.querySelectorAll("details")].filter((one) => one.open).map((one) => path(old, one));
  const closed = [...old.querySelectorAll("details:not([open])")].map((one) => path(old, one));
  const scrolled = [old, ...old.querySelectorAll("*")]
    .filter((one) => one.scrollTop || one.scrollLeft)
    .map((one) => [path(old, one), one.scrollTop, one.scrollLeft]);
  const news = next.dataset.announce !== old.dataset.announce ? next.dataset.announce : "";
  const node = document.importNode(next, true);
  old.replaceWith(node);
  window.htmx?.process(node);
  for (const steps of opened) find(node, steps)?.setAttribute("open", "");
  for (const steps of closed) find(node, steps)?.removeAttribute("open");
  for (const [steps, top, left] of scrolled) find(node, steps)?.scrollTo({ top, left, behavior: "instant" });
  if (focused) find(node, focused)?.focus({ preventScroll: true });
  announce(news);
}

/** How to find an element again in its root's successor: by its id, its link, or its place among its like. */
function path(root, element) {
  if (element === root) return { root: true };
  if (element.id) return { selector: `#${CSS.escape(element.id)}`, at: 0 };
  const href = element.getAttribute("href");
  const selector = href ? `a[href="${CSS.escape(href)}"]` : element.localName;
  return { selector, at: [...root.querySelectorAll(selector)].indexOf(element) };
}

function find(root, steps) {
  return steps.root ? root : root.querySelectorAll(steps.selector)[steps.at];
}

function clock(when) {
  return when.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

const parts = new Map();

function begin(root) {
  for (const element of root.querySelectorAll("[data-live][id]")) {
    if (!parts.has(element.id)) parts.set(element.id, new Live(element));
  }
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) for (const part of parts.values()) part.look();
});
document.addEventListener("htmx:load", () => begin(document));
begin(document);
