// What every page may use. Each part works on what it finds and asks for nothing: without scripts the page still works.

const announcer = document.getElementById("announcer");

/** Tell screen readers, when they have finished what they are saying. */
export function announce(text) {
  if (!announcer || !text) return;
  announcer.textContent = "";
  setTimeout(() => (announcer.textContent = text), 50); // the same text twice is news twice
}

// "/" leads to the search box, Escape out of an open menu.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const open = [...document.querySelectorAll("details.popover[open]")].pop();
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("[data-shortcut='/']");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// A menu closes when one goes on elsewhere.
function closeOthers(event) {
  for (const menu of document.querySelectorAll("details.popover[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
}
document.addEventListener("click", closeOthers);
document.addEventListener("focusin", closeOthers);

// A form is sent once; its button says that it is at work. Forms whose answer is a file have data-download: the page stays.
function busy(button, on) {
  if (!button) return;
  if (on) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || "download" in form.dataset || form.target === "_blank") return;
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  busy(event.submitter, true);
  setTimeout(() => "sent" in form.dataset && announce("Working…"), 300);
});

// Back from the browser's own memory, the page is as it was left.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy='true']")) busy(button, false);
});

// The same for requests of htmx.
function asking(event) {
  const element = event.detail.elt;
  const by = event.detail.requestConfig?.triggeringEvent?.submitter;
  return by ?? (element.matches("button, a.button") ? element : null);
}
document.addEventListener("htmx:beforeRequest", (event) => {
  const button = asking(event);
  if (button?.getAttribute("aria-busy") === "true") event.preventDefault();
  else busy(button, true);
});
document.addEventListener("htmx:afterRequest", (event) => busy(asking(event), false));
for (const trouble of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(trouble, (event) => {
    const status = event.detail.xhr?.status;
    if (status === 401 || status === 403) location.reload(); // signed out, or no longer allowed: the page says which
    else toast("error", status ? "That did not work. Please try again." : "Not connected. Please try again.");
  });
}

/** A message like the server's own, at the same place. */
export function toast(tone, text) {
  const list = document.getElementById("toasts");
  if (!list) return;
  const item = document.createElement("li");
  item.className = `toast toast--${tone}`;
  const words = document.createElement("span");
  words.className = "toast__text";
  words.textContent = text;
  const close = document.createElement("button");
  close.className = "button button--quiet button--s";
  close.type = "button";
  close.dataset.dismiss = "";
  close.textContent = "Dismiss";
  item.append(words, close);
  list.append(item);
}

// Messages that came with the page were there before anyone listened: say them once.
announce([...document.querySelectorAll("#toasts .toast__text")].map((text) => text.textContent.trim()).join(" "));

document.addEventListener("click", async (event) => {
  const dismiss = event.target.closest?.("[data-dismiss]");
  if (dismiss) {
    dismiss.closest("li, .notice").remove();
    document.getElementById("content")?.focus({ preventScroll: true });
    return;
  }
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const source = button.closest(".copy, .codeblock").querySelector("code");
  const shown = button.querySelector("[data-copied]");
  try {
    await navigator.clipboard.writeText(source.textContent);
    announce("Copied");
    button.classList.add("is-copied");
    if (shown) shown.textContent = "Copied";
    setTimeout(() => {
      button.classList.remove("is-copied");
      if (shown) shown.textContent = "Copy";
    }, 2000);
  } catch {
    getSelection().selectAllChildren(source); // the browser forbids it: then the text is ready for Ctrl+C
    announce("Selected. Copy it with Control C.");
  }
});

// A form that came back with errors begins with them.
document.querySelector("[data-focus]")?.focus();
