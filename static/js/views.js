// The menu of saved views. It works without script; with it, a view is saved with what the address filters by
// now, and the menu closes by Esc or a click elsewhere.
(function () {
  "use strict";

  document.addEventListener("submit", function (event) {
    if (event.target.matches("form[data-save-view]")) {
      event.target.querySelector("[name=query]").value = location.search;
    }
  }, true);

  function close(menu) {
    menu.open = false;
  }

  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.views[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) close(menu);
    });
  });

  document.addEventListener("keydown", function (event) {
    var menu = event.key === "Escape" && event.target.closest("details.views[open]");
    if (!menu) return;
    close(menu);
    menu.querySelector("summary").focus();
  });
})();
