// The list of pages is longer than the window: begin where one is.
const side = document.querySelector(".docs__side");
const here = side.querySelector(".docs__wide [aria-current]");
if (here) side.scrollTop = here.offsetTop - side.clientHeight / 3;
