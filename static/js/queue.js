// The queue by keyboard, and what keeps its two panes in step. The server decides everything; this moves
// the selection, opens what is selected, and keeps the selection when the rows are redrawn.
(function () {
  "use strict";

  function $(selector, root) {
    return (root || document).querySelector(selector);
  }

  var pane = $("#pane");
  var selected = null; // the pk of the selected row, as text; survives redraws

  function rows() {
    return Array.from(document.querySelectorAll(".queue-row"));
  }

  function rowOf(pk) {
    return pk && document.getElementById("row-" + pk);
  }

  function paneIsShown() {
    return pane !== null && pane.offsetParent !== null;
  }

  function mark() {
    rows().forEach(function (row) {
      var on = row.dataset.pk === selected;
      row.classList.toggle("is-selected", on);
      var link = $("[data-open]", row);
      if (on) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  }

  function select(pk) {
    selected = pk;
    mark();
    var row = rowOf(pk);
    if (row) row.scrollIntoView({ block: "nearest" });
  }

  function remember(pk) {
    // A reload shows the same handoff, and so does a link sent to a colleague.
    var url = new URL(location.href);
    if (pk) url.searchParams.set("selected", pk);
    else url.searchParams.delete("selected");
    history.replaceState(history.state, "", url);
  }

  function open(pk, href) {
    select(pk);
    if (!paneIsShown()) {
      location.assign(href);
      return;
    }
    remember(pk);
    window.htmx.ajax("GET", href, { target: "#pane", swap: "innerHTML" });
  }

  function step(by) {
    var all = rows();
    if (!all.length) return;
    var at = all.findIndex(function (row) { return row.dataset.pk === selected; });
    var next = all[at === -1 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    select(next.dataset.pk);
    $("[data-open]", next).focus({ preventScroll: true });
  }

  // The button for a key: in the open handoff if that is what is selected, else in the selected row.
  function button(selector) {
    var shown = $("article[data-pk]");
    if (shown && (selected === null || shown.dataset.pk === selected)) return $(selector, shown);
    var row = rowOf(selected);
    return row && $(selector, row);
  }

  var keys = {
    j: function () { step(1); },
    ArrowDown: function () { step(1); },
    k: function () { step(-1); },
    ArrowUp: function () { step(-1); },
    o: function () {
      var row = rowOf(selected);
      if (row) open(selected, $("[data-open]", row).href);
    },
    a: function () { press("[data-accept]", "There is nothing to accept here."); },
    r: function () { press("[data-reject]", "There is nothing to reject here."); },
    "/": function () { var search = $("#queue-search"); if (search) search.focus(); }
  };

  function press(selector, otherwise) {
    var found = button(selector);
    if (found) found.click();
    else window.portal.announce(otherwise);
  }

  document.addEventListener("keydown", function (event) {
    var search = event.target.closest("#queue-search");
    if (search && event.key === "Escape") search.blur();
    if (!keys[event.key] || window.portal.typing(event)) return;
    if (event.key.startsWith("Arrow") && !event.target.closest(".queue-row")) return;
    event.preventDefault();
    keys[event.key]();
  });

  // A row opens beside the list where there is room; a new tab and a phone get the page itself.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-open], [data-open-pk]");
    if (!link || !paneIsShown() || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    var row = link.closest(".queue-row");
    open(row ? row.dataset.pk : link.dataset.openPk, link.href);
  });

  // ---- The reject dialog: a figure chooses a reason, Enter confirms, Esc leaves ----

  document.addEventListener("keydown", function (event) {
    var dialog = event.target.closest("dialog[open]");
    if (!dialog || !/^[1-9]$/.test(event.key) || event.target.matches("input:not([type=radio]), textarea")) return;
    var option = dialog.querySelectorAll(".reason input")[Number(event.key) - 1];
    if (!option) return;
    event.preventDefault();
    option.checked = true;
    option.focus();
    option.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // The note and the duplicate are asked for only where the chosen reason needs them.
  function ask(form) {
    var reason = $(".reason input:checked", form);
    var needs = reason ? reason.dataset.asks.split(" ") : [];
    form.querySelectorAll("[data-asked]").forEach(function (field) {
      field.hidden = !needs.includes(field.dataset.asked) && field.dataset.asked !== "note";
      var mark = $("[data-required]", field);
      if (mark) mark.hidden = !needs.includes(field.dataset.asked);
    });
  }

  document.addEventListener("change", function (event) {
    var form = event.target.closest("form[data-reject-form]");
    if (form) ask(form);
  });

  // ---- In step ----

  document.addEventListener("htmx:beforeSwap", function (event) {
    // Accepted from a row on a phone: the pane is not there to see, so go to the page.
    if (event.detail.target !== pane || paneIsShown() || !event.detail.shouldSwap) return;
    var shown = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html").querySelector("article[data-pk]");
    if (shown && event.detail.xhr.status === 200) {
      event.detail.shouldSwap = false;
      location.assign("/handoffs/" + shown.dataset.pk + "/");
    }
  });

  document.addEventListener("htmx:afterSwap", function (event) {
    var form = $("form[data-reject-form]");
    if (form) ask(form);
    if (event.detail.target === pane || event.detail.target.closest("article[data-pk]")) {
      var shown = $("article[data-pk]", pane || document);
      if (shown && pane) {
        select(shown.dataset.pk);
        remember(shown.dataset.pk);
      }
    }
  });

  document.addEventListener("htmx:afterSettle", function (event) {
    if (event.detail.target.id !== "queue-list" && !$("#queue-list", event.detail.target)) return;
    mark();
    var all = rows();
    if (selected !== null && !rowOf(selected)) leave(all);
  });

  // The selected row is gone (rejected, reassigned, taken): the row now in its place is selected, unopened.
  var place = 0;
  document.addEventListener("htmx:beforeSwap", function () {
    var at = rows().findIndex(function (row) { return row.dataset.pk === selected; });
    if (at !== -1) place = at;
  });

  function leave(all) {
    var next = all[Math.min(place, all.length - 1)];
    if (next) select(next.dataset.pk);
    else selected = null;
  }

  document.addEventListener("portal:rejected", function () {
    // What was shown is no longer in the queue; its page stays reachable by its address.
    var shown = pane && $("article[data-pk]", pane);
    if (shown) remember(null);
  });

  var shown = $("article[data-pk]");
  if (shown) selected = shown.dataset.pk;
  mark();
})();
