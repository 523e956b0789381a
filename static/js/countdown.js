// <span data-countdown="2026-11-28T20:00:00+00:00"></span> tells how long it is until then. When it is over, the page is asked anew.

function tell(place) {
  const left = Math.ceil((new Date(place.dataset.countdown) - Date.now()) / 1000);
  if (left <= 0) {
    place.textContent = ", which has passed";
    if ("counted" in place.dataset && !document.querySelector("form[data-sent]")) location.reload();
    return;
  }
  place.dataset.counted = "";
  const minutes = Math.floor(left / 60);
  place.textContent = `, ${minutes}:${String(left % 60).padStart(2, "0")} left`;
  setTimeout(() => tell(place), 1000);
}

for (const place of document.querySelectorAll("[data-countdown]")) tell(place);
