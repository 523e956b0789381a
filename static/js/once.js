// A secret leaves with the page: the browser's memory of it (the back button) must not hold one.
addEventListener("pagehide", () => {
  for (const secret of document.querySelectorAll("[data-once]")) secret.remove();
});
