// Sliders beside the numbers of a plan: moving one writes the other. Without this script the numbers are enough.
(function () {
  "use strict";
  document.querySelectorAll("[data-mirror]").forEach((slider) => {
    const number = document.getElementById(slider.dataset.mirror);
    slider.addEventListener("input", () => (number.value = slider.value));
    number.addEventListener("input", () => (slider.value = number.value));
  });
  document.querySelectorAll("[data-without-script]").forEach((each) => (each.hidden = true));
})();
