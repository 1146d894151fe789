"use strict";
// The current page's link is brought into view where the navigation is a strip.
addEventListener("DOMContentLoaded", () => {
  const here = document.querySelector('.nav a[aria-current]');
  const strip = here && here.closest(".nav");
  if (strip) strip.scrollLeft = here.offsetLeft - 40;
});
// What refreshes itself can be paused; a filter still works, and so does going on.
addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-pause]")) {
    const place = document.querySelector(button.dataset.pause);
    button.hidden = false;
    button.addEventListener("click", () => {
      const paused = place.toggleAttribute("data-paused");
      button.setAttribute("aria-pressed", paused);
      button.textContent = paused ? "Go on" : "Pause";
    });
  }
});
// A page in a hidden tab does not ask for news.
addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden || event.target.hasAttribute("data-paused")) event.preventDefault();
});
