// Live times. The server's clock is the only clock: a browser that is five minutes wrong still shows
// what the server would say. common/templatetags/portal.py words the same spans; a browser test compares them.
(function () {
  "use strict";
  var MINUTE = 60;
  var HOUR = 3600;
  var DAY = 86400;
  var offset = 0;

  // The page's stamp was written just before its first byte left, not when this script came to run.
  var stamp = document.documentElement.dataset.serverNow;
  if (stamp) {
    var entry = performance.getEntriesByType("navigation")[0];
    var arrived = entry && entry.responseStart ? performance.timeOrigin + entry.responseStart : Date.now();
    offset = Date.parse(stamp) - arrived;
  }

  // The Date header has whole seconds only, so it corrects a clock that was set meanwhile and nothing finer.
  document.addEventListener("htmx:afterRequest", function (event) {
    var header = event.detail.xhr.getResponseHeader("Date");
    var drift = header ? Date.parse(header) - (Date.now() + offset) : 0;
    if (Math.abs(drift) > 3000) offset += drift;
  });

  function span(seconds) {
    if (seconds < MINUTE) return seconds + " s";
    if (seconds < HOUR) return Math.floor(seconds / MINUTE) + " min";
    if (seconds < 10 * HOUR) {
      var minutes = Math.floor((seconds % HOUR) / MINUTE);
      return Math.floor(seconds / HOUR) + " h" + (minutes ? " " + minutes + " min" : "");
    }
    if (seconds < 2 * DAY) return Math.floor(seconds / HOUR) + " h";
    return Math.floor(seconds / DAY) + " d";
  }

  function left(dueMs, nowMs) {
    var seconds = Math.floor((dueMs - nowMs) / 1000);
    if (seconds === 0) return "due now";
    return seconds > 0 ? span(seconds) + " left" : span(-seconds) + " late";
  }

  function ago(thenMs, nowMs) {
    var seconds = Math.floor((nowMs - thenMs) / 1000);
    if (seconds < MINUTE) return "just now";
    if (seconds >= HOUR && seconds < 10 * HOUR) seconds -= seconds % HOUR;
    return span(seconds) + " ago";
  }

  function now() {
    return Date.now() + offset;
  }

  function write(element, words) {
    if (element.textContent !== words) element.textContent = words;
  }

  function tick() {
    if (document.hidden) return;
    var at = now();
    document.querySelectorAll("time[data-countdown]").forEach(function (element) {
      var due = Date.parse(element.dateTime);
      var warn = Date.parse(element.dataset.warnAt || element.dateTime);
      var state = at > due ? "late" : at >= warn ? "warn" : "ok";
      if (element.dataset.state !== state) element.dataset.state = state;
      write(element.querySelector(".words"), left(due, at));
    });
    document.querySelectorAll("time[data-ago]").forEach(function (element) {
      write(element, ago(Date.parse(element.dateTime), at));
    });
  }

  window.portalClock = { now: now, left: left, ago: ago };
  document.addEventListener("htmx:afterSettle", tick);
  document.addEventListener("visibilitychange", tick);
  setInterval(tick, 1000);
  tick();
})();
