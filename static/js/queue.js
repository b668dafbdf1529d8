// The queue by keyboard, and what keeps its two panes in step. The server decides everything; this moves
// the selection, opens what is selected, ticks several, and keeps all that when the rows are redrawn.
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

  var MOVING = ["j", "k", "ArrowDown", "ArrowUp"];

  var keys = {
    j: function () { step(1); },
    ArrowDown: function () { step(1); },
    k: function () { step(-1); },
    ArrowUp: function () { step(-1); },
    o: function () {
      var row = rowOf(selected);
      if (row) open(selected, $("[data-open]", row).href);
    },
    n: openNext,
    a: function () { press("[data-accept]", "There is nothing to accept here."); },
    r: function () { press("[data-reject]", "There is nothing to reject here."); },
    x: function () {
      var box = selected && $(".pick", rowOf(selected) || document.createElement("li"));
      if (box) box.click();
      else window.portal.announce("Only what can be accepted can be selected.");
    },
    A: acceptPicked,
    c: function () { go(".outcomes button", "There is no contact to log here."); },
    p: function () { go("[name=quick]", "There is no contact to plan here."); },
    u: undo,
    "/": function () { var search = $("#queue-search"); if (search) search.focus(); }
  };

  // On to the next row that waits for a decision, from the selected one downwards and then from the top.
  // A handoff on its own page has no rows beside it: there the link of its foot knows the way.
  function openNext() {
    var link = $("[data-next]");
    if (link) return link.click();
    var all = rows();
    var at = all.findIndex(function (row) { return row.dataset.pk === selected; });
    var waiting = all.slice(at + 1).concat(all.slice(0, Math.max(at, 0))).find(function (row) {
      return row.dataset.status === "offered";
    });
    if (waiting) open(waiting.dataset.pk, $("[data-open]", waiting).href);
    else window.portal.announce("Nothing else waits for a decision.");
  }

  function undo() {
    var offers = document.querySelectorAll("#toasts [data-undo]");
    if (offers.length) offers[offers.length - 1].click();
    else window.portal.announce("There is nothing to undo any more.");
  }

  function press(selector, otherwise) {
    var found = button(selector);
    if (found) found.click();
    else window.portal.announce(otherwise);
  }

  // The keyboard moves on into the open handoff.
  function go(selector, otherwise) {
    var found = $("article[data-pk] " + selector);
    if (found) found.focus();
    else window.portal.announce(otherwise);
  }

  document.addEventListener("keydown", function (event) {
    var search = event.target.closest("#queue-search");
    if (search && event.key === "Escape") search.blur();
    if (!keys[event.key] || window.portal.typing(event)) return;
    if (event.key.startsWith("Arrow") && !event.target.closest(".queue-row")) return;
    event.preventDefault();
    // A key that is held moves on, but decides once: the row it decided on may have made way for the next.
    if (event.repeat && !MOVING.includes(event.key)) return;
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

  // ---- Several at once: tick with x or a tap, accept with Shift+a (styles show the bar while any is ticked) ----

  function picked() {
    return Array.from(document.querySelectorAll(".pick:checked"));
  }

  function countPicked() {
    var words = $("[data-picked]");
    if (words) words.textContent = picked().length + " selected";
  }

  function acceptPicked() {
    if (picked().length) $("#bulk-form").requestSubmit($("[data-accept-picked]"));
    else window.portal.announce("Nothing is selected. The key x selects.");
  }

  document.addEventListener("change", function (event) {
    if (!event.target.matches(".pick")) return;
    countPicked();
    window.portal.announce($("[data-picked]").textContent);
  });

  document.addEventListener("click", function (event) {
    if (!event.target.closest("[data-clear-picks]")) return;
    picked().forEach(function (box) { box.checked = false; });
    countPicked();
  });

  // Ticks outlive a redraw and a change of the filters, for the rows that are still there.
  var ticked = [];
  document.addEventListener("htmx:beforeSwap", function (event) {
    // An answer that nothing has changed swaps nothing: what is ticked after it must not be forgotten.
    if (event.detail.target.id !== "queue-list" || !event.detail.shouldSwap) return;
    ticked = picked().map(function (box) { return box.value; });
  });
  document.addEventListener("htmx:afterSwap", function (event) {
    if (!ticked.length || event.detail.target.id !== "queue-list") return;
    document.querySelectorAll(".pick").forEach(function (box) { box.checked = ticked.includes(box.value); });
    ticked = [];
    countPicked();
  });

  // Those of the selection: the ticked ones, or those that the button of the toast takes back.
  function concerned(form) {
    if (form.id === "bulk-form") return picked().map(function (box) { return box.value; });
    if (!form.matches("[data-undo-form]")) return [];
    return new URL(form.action).searchParams.getAll("handoff");
  }

  document.addEventListener("htmx:afterRequest", function (event) {
    if (!event.detail.successful) return;
    // What is shown beside the list may be one of them: show it as it is now.
    var shown = pane && $("article[data-pk]", pane);
    if (shown && concerned(event.detail.elt).includes(shown.dataset.pk)) {
      window.htmx.ajax("GET", "/handoffs/" + shown.dataset.pk + "/", { target: "#pane", swap: "innerHTML" });
    }
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
    var field = needed(option.form);
    if (field) field.focus();
  });

  // Enter confirms from the note too; with Shift it breaks the line.
  document.addEventListener("keydown", function (event) {
    var note = event.target.closest("form[data-reject-form] textarea");
    if (!note || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    note.form.requestSubmit();
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

  // The first empty field that the chosen reason cannot do without.
  function needed(form) {
    var reason = $(".reason input:checked", form);
    return (reason ? reason.dataset.asks.split(" ") : []).map(function (name) {
      return name && $("[data-asked=" + name + "] :is(input, textarea)", form);
    }).find(function (field) { return field && !field.value; });
  }

  document.addEventListener("change", function (event) {
    var form = event.target.closest("form[data-reject-form]");
    if (!form) return;
    ask(form);
    var field = needed(form);
    if (field) field.parentElement.scrollIntoView({ block: "nearest" });
  });

  // ---- Redrawing: hx-swap="rows" puts in what is new or has changed and leaves all else as it is ----

  window.htmx.defineExtension("rows", {
    handleSwap: function (style, target, fragment, settling) {
      if (style !== "rows") return false;
      var fresh = $("#queue-list", fragment);
      var list = $(".queue-rows", target);
      var freshList = $(".queue-rows", fresh);
      settling.elts.push(target);
      tellNews(list, fresh);
      var hold = holdScroll(list);
      var added = list && freshList ? redraw(list, freshList) : [];
      // All that stands around the rows is small, and nobody types there.
      Array.from(target.children).forEach(function (each) { if (each !== list || !freshList) each.remove(); });
      var kept = list && freshList;
      var reached = !kept; // the rows themselves stay where they are: moving them would take the focus away
      Array.from(fresh.children).forEach(function (each) {
        if (kept && each === freshList) reached = true;
        else if (reached) target.append(each);
        else list.before(each);
      });
      hold();
      return added.length ? added : Array.from(target.children);
    }
  });

  function redraw(list, freshList) {
    var now = Array.from(freshList.children);
    var staying = new Set(now.map(function (row) { return row.id; }));
    var focused = document.activeElement;
    var added = [];
    Array.from(list.children).forEach(function (row) { if (!staying.has(row.id)) row.remove(); });
    var place = list.firstElementChild;
    now.forEach(function (row) {
      var old = document.getElementById(row.id);
      if (old && old.dataset.rev === row.dataset.rev) row = old;
      if (row !== old) added.push(row);
      if (row === place) place = place.nextElementSibling;
      else list.insertBefore(row, place);
      if (old && row !== old) {
        if (old === place) place = place.nextElementSibling;
        old.remove();
      }
    });
    if (focused && focused !== document.activeElement) refocus(focused);
    return added;
  }

  // Focus goes back to where it was: the same row's link, when the element itself has been replaced.
  function refocus(focused) {
    if (focused.isConnected) return focused.focus({ preventScroll: true });
    var row = focused.closest(".queue-row");
    var link = row && rowOf(row.dataset.pk) && $("[data-open]", rowOf(row.dataset.pk));
    if (link) link.focus({ preventScroll: true });
  }

  // What one is reading stays where it is on the screen, unless one looks at the top of the list anyway.
  function holdScroll(list) {
    var box = list && list.closest(".queue-scroll");
    if (!box) return function () {};
    var scroller = box.scrollHeight > box.clientHeight ? box : document.scrollingElement;
    if (scroller.scrollTop < 8) return function () {};
    var edge = scroller === box ? box.getBoundingClientRect().top : 0;
    var seen = rows().find(function (row) { return row.getBoundingClientRect().bottom > edge; });
    var was = seen && seen.getBoundingClientRect().top;
    return function () {
      var again = seen && document.getElementById(seen.id);
      if (again) scroller.scrollTop += again.getBoundingClientRect().top - was;
    };
  }

  // The count that is read out politely (portal.js) begins with who is new.
  function tellNews(list, fresh) {
    var words = $("[data-announce]", fresh);
    var known = rows().map(function (row) { return row.id; });
    var news = Array.from(fresh.querySelectorAll(".queue-row[data-status=offered]")).filter(function (row) {
      return !known.includes(row.id);
    }).map(function (row) { return row.dataset.name + ", category " + row.dataset.category; });
    if (words && news.length) {
      words.textContent = "New lead" + (news.length > 1 ? "s: " : ": ") + news.join("; ") + ". " + words.textContent;
    }
  }

  // ---- In step ----

  // Accepted from a row on a phone: there is no pane to see what came of it, so the form is sent without HTMX
  // and leads to the page of the handoff, with the offer to undo, or with the reason why not.
  document.addEventListener("htmx:beforeRequest", function (event) {
    var form = event.detail.elt;
    if (!form.matches(".queue-row form") || paneIsShown()) return;
    event.preventDefault();
    form.submit();
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

  // The button that was pressed is gone with the answer: the keyboard goes on from the head of what came.
  var wasInside = false;
  document.addEventListener("htmx:beforeSwap", function (event) {
    var article = event.detail.shouldSwap && event.detail.target.closest("article[data-pk]");
    wasInside = Boolean(article && article.contains(document.activeElement));
  });
  document.addEventListener("htmx:afterSettle", function () {
    var article = wasInside && document.activeElement === document.body && $("article[data-pk]");
    wasInside = false;
    if (article) article.focus({ preventScroll: true });
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
