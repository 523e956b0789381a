// Runs the form's call from the browser, against the real route. The server says what the call is and gives the token for it;
// without scripts the form posts, and the server makes the call itself.

import { announce } from "./frame.js";

const MOST_SHOWN = 100_000; // letters, as on the server
const form = document.getElementById("playground");
const place = document.getElementById("playground-answer");

document.querySelector("[data-choose] select").addEventListener("change", (event) => event.target.form.requestSubmit());

form.addEventListener("submit", async (event) => {
  if (form.dataset.plain) return; // the server shows what is wrong
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button.button--main");
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    const asked = await fetch(form.dataset.token, { method: "POST", body: new FormData(form) });
    if (!asked.ok || asked.redirected) {
      form.dataset.plain = "yes";
      form.requestSubmit(button);
      return;
    }
    show(...(await run(await asked.json())));
  } catch (error) {
    show(null, 0, String(error));
  } finally {
    if (!form.dataset.plain) button.removeAttribute("aria-busy");
  }
});

async function run({ token, method, path, headers, body }) {
  const started = performance.now();
  const answer = await fetch(path, {
    method,
    body,
    cache: "no-store",
    headers: { ...headers, ...(body === null ? {} : { "Content-Type": "application/json" }), Authorization: `Bearer ${token}` },
  });
  const text = await answer.text();
  return [answer, Math.round(performance.now() - started), text];
}

function show(answer, milliseconds, text) {
  const isJSON = answer?.headers.get("Content-Type")?.split(";")[0].endsWith("json");
  const whole = isJSON && text ? JSON.stringify(JSON.parse(text), null, 2) : text;
  const status = answer ? `${answer.status} ${answer.statusText}`.trim() : "No answer";
  const tone = !answer || answer.status >= 500 ? "bad" : answer.status >= 300 ? "warn" : "good";
  const line = make("p", { class: "row" }, make("span", { class: `badge badge--${tone}` }, status));
  if (answer) line.append(" ", make("span", { class: "muted num" }, `${milliseconds} ms`));
  const pieces = [line, whole ? codeblock(whole.slice(0, MOST_SHOWN), isJSON) : make("p", { class: "muted" }, "No body.")];
  if (whole.length > MOST_SHOWN) pieces.push(make("p", { class: "muted small" }, "Cut here: the answer is longer."));
  const id = answer?.headers.get("Request-Id");
  if (id && place.dataset.log) {
    const link = make("a", { href: `${place.dataset.log}/${id}?mode=${form.elements.mode.value}` }, "This call in the request log");
    pieces.push(make("p", { class: "small" }, link));
  }
  if (answer) {
    const pairs = [...answer.headers].flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
    const summary = make("summary", { class: "playground__more" }, "Headers");
    pieces.push(make("details", {}, summary, make("dl", { class: "playground__headers" }, ...pairs)));
  }
  place.hidden = false;
  place.replaceChildren(...pieces);
  place.focus({ preventScroll: true });
  place.scrollIntoView({ block: "nearest" });
  announce(answer ? `${status}, ${milliseconds} milliseconds` : status);
}

function codeblock(text, isJSON) {
  const copy = make("button", { type: "button", class: "button button--s", "data-copy": "", "aria-label": "Copy the answer" });
  copy.append(make("span", { "data-copied": "" }, "Copy"));
  const code = make("code", {}, ...(isJSON ? coloured(text) : [text]));
  const pre = make("pre", { tabindex: "0", role: "region", "aria-label": "Answer" }, code);
  return make("div", { class: "codeblock" }, make("div", { class: "codeblock__head" }, make("span", {}, "Answer"), copy), pre);
}

// The classes that pygments gives to JSON: names, texts, numbers, and the three words.
function* coloured(text) {
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b/g;
  let at = 0;
  for (const match of text.matchAll(token)) {
    const [all, string, colon, number, word] = match;
    yield text.slice(at, match.index);
    yield make("span", { class: string ? (colon ? "nt" : "s2") : number ? "mi" : "kc" }, string ?? number ?? word);
    yield colon ?? "";
    at = match.index + all.length;
  }
  yield text.slice(at);
}

function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
