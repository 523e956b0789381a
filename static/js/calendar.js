// The calendar by keyboard: arrows to the neighbouring days, t to today. And one begins at the present.

const FIELDS = "input, textarea, select, [contenteditable], details[open]";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
  if (event.target.closest?.(FIELDS)) return;
  const way = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!way) return;
  event.preventDefault();
  way.click();
});

// What is picked with finger or mouse is shown at once. By keyboard a list passes over what one does not want, and a date
// is one after every digit: there Enter, or the button, shows it.
const form = document.getElementById("choose");
let picked = false;
document.addEventListener("pointerdown", () => (picked = true), true);
document.addEventListener("keydown", () => (picked = false), true);
document.addEventListener("change", (event) => {
  const field = event.target;
  if (!form || field.form !== form || !picked) return;
  if (field.localName === "select" || (field.value && field.validity.valid)) form.requestSubmit();
});

const narrow = matchMedia("(width <= 640px)").matches;
const scroller = document.querySelector(".calendar__scroll");
const now = document.getElementById("now");
const today = document.querySelector(".week__day.is-today");
if (narrow) {
  const begin = now ?? today;
  if (begin && begin.getBoundingClientRect().top > innerHeight) begin.scrollIntoView();
} else if (scroller && now) {
  scroller.scrollTop = now.offsetTop - scroller.clientHeight / 4;
}
