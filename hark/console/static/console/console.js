"use strict";
// The current page's link is brought into view where the navigation is a strip.
addEventListener("DOMContentLoaded", () => {
  const here = document.querySelector('.nav a[aria-current]');
  const strip = here && here.closest(".nav");
  if (strip) strip.scrollLeft = here.offsetLeft - 40;
});
// A page in a hidden tab does not ask for news.
addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});
