"use strict";
// The menu unfolds on a narrow screen; a folded group stays folded on this machine, and the current page is in sight.
addEventListener("DOMContentLoaded", () => {
  const nav = document.querySelector(".nav");
  if (!nav) return;
  const button = document.querySelector(".menu");
  button.addEventListener("click", () => button.setAttribute("aria-expanded", nav.classList.toggle("open")));
  const folded = new Set(JSON.parse(localStorage.getItem("folded") || "[]"));
  for (const group of nav.querySelectorAll("[data-fold]")) {
    const name = group.dataset.fold;
    if (folded.has(name) && !group.querySelector("[aria-current]")) group.open = false;
    group.addEventListener("toggle", () => {
      folded[group.open ? "delete" : "add"](name);
      localStorage.setItem("folded", JSON.stringify([...folded]));
    });
  }
  const here = nav.querySelector("[aria-current]");
  if (here) nav.scrollTop = here.offsetTop - nav.clientHeight / 2;
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
