// What every page has: announcements, toasts, dialogs, the menu on a phone, polling, and a guard against
// sending a form twice. Everything is delegated from the document, so swapped-in fragments need no set-up.
(function () {
  "use strict";

  function $(selector, root) {
    return (root || document).querySelector(selector);
  }

  // ---- Announcements: say to a screen reader what a sighted person sees change ----

  function announce(words) {
    var region = $("#announcer");
    region.textContent = "";
    setTimeout(function () { region.textContent = words; }, 50);
  }

  // A count lies in what is redrawn, and a live region that is itself replaced is not read out. So its words
  // are passed to the region that stays, when they differ from the last ones.
  var lastCount = count();

  function count() {
    var said = $("[data-announce]");
    return said ? said.textContent.trim() : "";
  }

  document.addEventListener("htmx:afterSettle", function () {
    var words = count();
    if (words && words !== lastCount) announce(words);
    lastCount = words;
  });

  // ---- Toasts: arrive from the server by out-of-band swap, or are made here for network trouble ----

  var TOAST_MS = 7000;

  function retire(toast) {
    if (toast.dataset.retiring) return;
    toast.dataset.retiring = "yes";
    var time = offerToUndo(toast) || TOAST_MS;
    if (toast.hasAttribute("data-keep")) return;
    var timer = setTimeout(check, time);
    function check() {
      // Never take away what is being read or is about to be clicked.
      if (toast.matches(":hover, :focus-within")) timer = setTimeout(check, 2000);
      else toast.remove();
    }
  }

  // What was done can be taken back for some seconds; then the button goes, since the server would refuse.
  function offerToUndo(toast) {
    var form = $("[data-undo-form]", toast);
    if (!form) return 0;
    var time = Number(form.dataset.undoForm) * 1000;
    setTimeout(function () { form.remove(); }, time);
    return time;
  }

  document.addEventListener("htmx:afterRequest", function (event) {
    var elt = event.detail.elt;
    if (elt.matches("[data-undo-form]") && event.detail.xhr.status) elt.closest(".toast-note").remove();
  });

  // Whatever else is done to a handoff settles what was done before: the offer to undo that goes.
  document.addEventListener("htmx:beforeSwap", function (event) {
    var article = event.detail.shouldSwap && event.detail.target.closest("article[data-pk]");
    if (!article || event.detail.requestConfig.verb !== "post" || event.detail.isError) return;
    document.querySelectorAll("#toasts [data-undo-form]").forEach(function (form) {
      if (form.action.includes("/" + article.dataset.pk + "/")) form.remove();
    });
  });

  function toast(words) {
    var template = $("#toast-template");
    var note = template.content.firstElementChild.cloneNode(true);
    $(".words", note).textContent = words;
    $("#toasts").append(note);
  }

  new MutationObserver(function () {
    document.querySelectorAll("#toasts > *").forEach(retire);
  }).observe($("#toasts"), { childList: true });
  document.querySelectorAll("#toasts > *").forEach(retire);

  // ---- Dialogs: native <dialog>, so that Esc, focus trap and inertness are the browser's ----

  function openDialog(dialog) {
    if (!dialog.open) dialog.showModal();
  }

  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-dialog]");
    if (opener) openDialog($("#" + opener.dataset.dialog));
    var closer = event.target.closest("[data-close-dialog]");
    if (closer) closer.closest("dialog").close();
    if (event.target.matches("dialog.dialog")) event.target.close();
    var dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(".toast-note").remove();
    var copier = event.target.closest("[data-copy]");
    if (copier) {
      navigator.clipboard.writeText($("#" + copier.dataset.copy).textContent.trim()).then(function () {
        toast("Copied.");
      });
    }
  });

  // A fragment that lands in a dialog opens it; an emptied dialog closes. Once settled, not before: until then
  // a quick Enter would send the form past HTMX.
  document.addEventListener("htmx:afterSettle", function (event) {
    var dialog = event.detail.target.closest && event.detail.target.closest("dialog");
    if (!dialog) return;
    if (dialog.textContent.trim()) openDialog(dialog);
    else dialog.close();
  });
  document.addEventListener("portal:close-dialogs", function () {
    document.querySelectorAll("dialog[open]").forEach(function (dialog) { dialog.close(); });
  });

  // ---- A table wider than its place scrolls; then the keyboard must reach it too ----

  function reachScrollers() {
    document.querySelectorAll(".table-scroll").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    });
  }

  window.addEventListener("resize", reachScrollers);
  document.addEventListener("htmx:afterSettle", reachScrollers);
  reachScrollers();

  // ---- The menu on a phone ----

  function setMenu(open) {
    $("#sidebar").classList.toggle("is-open", open);
    $("#menu-button").setAttribute("aria-expanded", String(open));
    if (open) $("#sidebar a, #sidebar button").focus();
  }

  document.addEventListener("click", function (event) {
    var sidebar = $("#sidebar");
    if (!sidebar) return;
    if (event.target.closest("#menu-button")) setMenu(!sidebar.classList.contains("is-open"));
    else if (sidebar.classList.contains("is-open") && !event.target.closest("#sidebar")) setMenu(false);
  });
  document.addEventListener("keydown", function (event) {
    var sidebar = $("#sidebar");
    if (event.key === "Escape" && sidebar && sidebar.classList.contains("is-open")) {
      setMenu(false);
      $("#menu-button").focus();
    }
  });

  // ---- Theme: applied at once, remembered by the server ----

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-set-theme]");
    if (!button) return;
    document.dispatchEvent(new CustomEvent("portal:theme", { detail: button.dataset.setTheme }));
    document.querySelectorAll("[data-set-theme]").forEach(function (each) {
      each.setAttribute("aria-pressed", String(each === button));
    });
  });

  // ---- Filters send themselves as they change; the button is for browsers without script ----

  document.addEventListener("change", function (event) {
    var form = event.target.closest("form[data-autosubmit]");
    if (form) form.requestSubmit();
  });

  // ---- A form is sent once, however often it is clicked ----

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sending) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.dataset.sending = "yes";
    form.setAttribute("aria-busy", "true");
  }, true);

  function release(form) {
    delete form.dataset.sending;
    form.removeAttribute("aria-busy");
  }

  document.addEventListener("htmx:afterRequest", function (event) {
    var form = event.detail.elt.closest && event.detail.elt.closest("form");
    if (form) release(form);
  });
  window.addEventListener("pageshow", function () {
    // Back to a page from the browser's cache: its forms must work again.
    document.querySelectorAll("form[data-sending]").forEach(release);
  });

  // ---- Trouble on the way: keep what was typed, say what to do ----

  document.addEventListener("htmx:sendError", function (event) {
    if (!event.detail.elt.hasAttribute("data-poll")) toast("No answer from the portal. What you typed is still here: try again in a moment.");
    connection(false);
  });
  document.addEventListener("htmx:responseError", function (event) {
    var status = event.detail.xhr.status;
    if (event.detail.elt.hasAttribute("data-poll")) return connection(status < 500);
    if (status === 403) toast("That is not open to your role.");
    else if (status === 404) toast("That is no longer here. Reload the page to see what is.");
    else if (status === 429) toast("Too many requests. Wait a minute and try again.");
    else toast("The portal could not do that. Nothing was lost: try again in a moment.");
  });

  function connection(up) {
    var banner = $("#connection");
    if (banner && banner.hidden !== up) banner.hidden = up;
  }

  // A refusal stands at the head of what was redrawn. Whoever acted further down reads it where they are.
  document.addEventListener("htmx:afterSettle", function () {
    var notice = $("article > [role=alert]:not([data-seen])");
    if (!notice) return;
    notice.dataset.seen = "yes";
    var box = notice.getBoundingClientRect();
    if (box.bottom < 0 || box.top > window.innerHeight) toast($("p", notice).textContent.trim());
  });

  // ---- Polling: [data-poll="5"] with hx-trigger="portal:poll". Sends the last ETag; 304 changes nothing ----

  var nextPoll = new WeakMap();

  function mayPoll(element) {
    // A swap under an open dialog would take its subject away.
    return !document.hidden && !$("dialog[open]") && !element.classList.contains("htmx-request");
  }

  setInterval(function () {
    document.querySelectorAll("[data-poll]").forEach(function (element) {
      var due = nextPoll.get(element);
      var period = Number(element.dataset.poll) * 1000;
      if (due === undefined) nextPoll.set(element, Date.now() + period);
      else if (Date.now() >= due && mayPoll(element)) {
        nextPoll.set(element, Date.now() + period);
        window.htmx.trigger(element, "portal:poll");
      }
    });
  }, 500);
  document.addEventListener("visibilitychange", function () {
    if (!document.hidden) document.querySelectorAll("[data-poll]").forEach(function (each) { nextPoll.set(each, 0); });
  });
  document.addEventListener("htmx:configRequest", function (event) {
    if (event.detail.elt.hasAttribute("data-poll") && event.detail.elt.dataset.etag) {
      event.detail.headers["If-None-Match"] = event.detail.elt.dataset.etag;
    }
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var element = event.detail.elt;
    if (!element.hasAttribute("data-poll") || event.detail.xhr.status >= 400 || !event.detail.xhr.status) return;
    connection(true);
    var etag = event.detail.xhr.getResponseHeader("ETag");
    if (etag) element.dataset.etag = etag;
  });

  // ---- "?" shows the keys of this page ----

  document.addEventListener("keydown", function (event) {
    if (event.key !== "?" || typing(event)) return;
    var dialog = $("#help");
    if (dialog) {
      event.preventDefault();
      openDialog(dialog);
    }
  });

  function typing(event) {
    return event.ctrlKey || event.metaKey || event.altKey || Boolean($("dialog[open]")) ||
      event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]") !== null;
  }

  window.portal = { announce: announce, toast: toast, typing: typing };
})();
