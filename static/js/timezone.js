// Preselects the browser's own time zone where none is chosen yet.
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const select of document.querySelectorAll("select[data-timezone]")) {
  if (!select.value && [...select.options].some((option) => option.value === here)) select.value = here;
}
