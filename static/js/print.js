// Print buttons are hidden without script, where they could do nothing; the browser's own print command always works.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
