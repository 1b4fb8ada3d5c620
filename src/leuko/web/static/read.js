// In the listing of a paste, a line's number leads to that line in the field above, selected, to be mended.
// Without this script the number leads to the field.
(function () {
  "use strict";
  const field = document.getElementById("text");
  if (field === null) return;
  document.querySelectorAll("a[data-line]").forEach((link) => {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const lines = field.value.split("\n");
      const at = Number(link.dataset.line) - 1;
      const start = lines.slice(0, at).reduce((sum, line) => sum + line.length + 1, 0);
      field.closest("details")?.setAttribute("open", "");
      field.focus();
      field.setSelectionRange(start, start + (lines[at] ?? "").length);
      field.scrollTop = (at - 2) * parseFloat(getComputedStyle(field).lineHeight);
    });
  });
})();
