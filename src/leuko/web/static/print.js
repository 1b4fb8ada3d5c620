// Buttons that print the page: only with JavaScript is there anything behind them, so only then are they shown.
(function () {
  "use strict";
  document.querySelectorAll("[data-print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => print());
  });
})();
