// The forms of signals and of drafts: show only the fields that the choices made ask for, move from a problem
// to its rule, and say when an answer does not come. Without script all fields are there, and what does not
// apply is passed over.
(function () {
  "use strict";

  // ---- Fields that depend on others: data-when="kind=fit,behaviour;decay=step", names within one form ----

  function sibling(control, name) {
    var stem = control.name.slice(0, control.name.lastIndexOf("-") + 1);
    return control.form.elements[stem + name];
  }

  function applies(control) {
    return control.dataset.when.split(";").every(function (condition) {
      var parts = condition.split("=");
      var other = sibling(control, parts[0]);
      return !other || parts[1].split(",").includes(other.value);
    });
  }

  function suit(control) {
    var shown = applies(control);
    var box = control.closest(".fieldBox");
    (box ? box.parentElement : control.closest(".form-row")).hidden = !shown;
    control.disabled = !shown;
  }

  function suitAll(root) {
    root.querySelectorAll("[data-when]").forEach(suit);
  }

  document.addEventListener("DOMContentLoaded", function () { suitAll(document); });
  document.addEventListener("change", function (event) {
    if (event.target.form && event.target.name) suitAll(event.target.closest(".inline-related") || event.target.form);
  });
  document.addEventListener("formset:added", function (event) { suitAll(event.target); });

  // ---- A rule that a link points to opens ----

  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-opens]");
    var rule = link && document.querySelector(link.getAttribute("href"));
    if (!rule) return;
    var details = rule.querySelector("details");
    if (details) details.open = true;
  });

  // ---- A suggested event name becomes a line of its own ----

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-adds-line]");
    if (!button) return;
    var area = document.getElementById(button.dataset.addsLine);
    var lines = area.value.split("\n").map(function (line) { return line.trim(); }).filter(Boolean);
    if (!lines.includes(button.value)) lines.push(button.value);
    area.value = lines.join("\n");
    area.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // ---- Trouble on the way ----

  function say(event, words) {
    var target = event.detail.target;
    if (!target) return;
    var note = document.createElement("p");
    note.className = "workbench-note";
    note.setAttribute("role", "alert");
    note.textContent = words;
    target.replaceChildren(note);
  }

  document.addEventListener("htmx:sendError", function (event) {
    say(event, "No answer from the portal. Nothing was lost: try again in a moment.");
  });
  document.addEventListener("htmx:responseError", function (event) {
    say(event, event.detail.xhr.status === 404
      ? "This is no draft any more. Reload the page to see what it is now."
      : "The portal could not work this out. Nothing was lost: try again in a moment.");
  });
})();
