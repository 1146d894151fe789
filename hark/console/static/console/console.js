"use strict";
// The current page's link is brought into view where the navigation is a strip.
addEventListener("DOMContentLoaded", () => {
  const here = document.querySelector('.nav a[aria-current]');
  const strip = here && here.closest(".nav");
  if (strip) strip.scrollLeft = here.offsetLeft - 40;
});
