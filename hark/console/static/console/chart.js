"use strict";
// Draws each <figure data-chart> from its own JSON (data-figure), or from that of the id it names. Colours are named by the page's own
// tokens ("--accent"), so that a chart follows the colour scheme, also when it changes.
(() => {
  const style = getComputedStyle(document.documentElement);
  const coloured = (value) => {
    if (typeof value === "string" && value.startsWith("--")) return style.getPropertyValue(value).trim();
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner)]));
    return value;
  };
  const draw = (place) => {
    const figure = coloured(JSON.parse(place.dataset.figure || document.getElementById(place.dataset.chart).textContent));
    const layout = { ...figure.layout, font: { ...figure.layout.font, family: getComputedStyle(document.body).fontFamily } };
    Plotly.react(place, figure.data, layout, { displayModeBar: false, responsive: true });
    if (place.dataset.led) return;
    place.dataset.led = "yes";
    // A part of a chart may lead to a page of this console, named by its customdata.
    const leads = (event) => {
      const to = event.points[0] && event.points[0].customdata;
      return typeof to === "string" && to.startsWith("/") ? to : "";
    };
    place.on("plotly_click", (event) => { if (leads(event)) location.assign(leads(event)); });
    place.on("plotly_hover", (event) => place.classList.toggle("leads", Boolean(leads(event))));
    place.on("plotly_unhover", () => place.classList.remove("leads"));
  };
  const all = () => document.querySelectorAll("[data-chart]").forEach(draw);
  addEventListener("DOMContentLoaded", all);
  // What is folded away has no width; it is drawn when it is opened, and what htmx brings when it arrives.
  addEventListener("toggle", (event) => event.target.querySelectorAll("[data-chart]").forEach(draw), true);
  addEventListener("htmx:afterSettle", all);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
})();
