"use strict";
// Draws each <figure data-chart="id"> from the JSON of the same id. Colours are named by the page's own
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
    const figure = coloured(JSON.parse(document.getElementById(place.dataset.chart).textContent));
    const layout = { ...figure.layout, font: { ...figure.layout.font, family: getComputedStyle(document.body).fontFamily } };
    Plotly.react(place, figure.data, layout, { displayModeBar: false, responsive: true });
  };
  const all = () => document.querySelectorAll("[data-chart]").forEach(draw);
  addEventListener("DOMContentLoaded", all);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
})();
