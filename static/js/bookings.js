// One press ticks every booking that can be checked in, or none.

const button = document.querySelector("[data-tick-all]");
button?.addEventListener("click", () => {
  const boxes = [...document.querySelectorAll("#list input[name='booking']")];
  const all = boxes.every((box) => box.checked);
  for (const box of boxes) box.checked = !all;
  button.textContent = all ? "Tick all" : "Tick none";
});
