// Runs before the first paint, so that a dark page never flashes white.
// <html data-theme> is the person's choice (auto, light or dark); data-bs-theme is what Bootstrap reads.
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");

  function apply() {
    var choice = root.dataset.theme || "auto";
    root.dataset.bsTheme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
  }

  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("portal:theme", function (event) {
    root.dataset.theme = event.detail;
    apply();
  });
})();
