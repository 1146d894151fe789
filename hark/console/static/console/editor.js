"use strict";
// What stands in the YAML alone names its line: a click puts the cursor there.
addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  const text = document.getElementById("text");
  if (!link || !text || !Number(link.dataset.line)) return;
  event.preventDefault();
  const lines = text.value.split("\n");
  const before = lines.slice(0, link.dataset.line - 1).join("\n").length + (link.dataset.line > 1);
  text.focus();
  text.setSelectionRange(before, before + (lines[link.dataset.line - 1] || "").length);
  text.scrollTop = Math.max(0, (link.dataset.line - 3) * parseFloat(getComputedStyle(text).lineHeight));
  text.scrollIntoView({ block: "nearest" });
});
