// Every action on a handoff redraws all of it. What somebody has begun to fill in elsewhere on it, but not sent,
// is put back, and so is the cursor: the letters typed next must not become keys of the queue.
(function () {
  "use strict";

  var drafts = []; // what is still to be put back; the feedback panel arrives after the rest

  function articleIn(target) {
    return target.matches("article[data-pk]") ? target : target.querySelector("article[data-pk]");
  }

  function fieldsOf(form) {
    return Array.from(form.elements).filter(function (field) {
      return field.name && !["hidden", "submit", "button"].includes(field.type);
    });
  }

  function isTick(field) {
    return field.type === "checkbox" || field.type === "radio";
  }

  function chosenAtFirst(select) {
    var option = Array.from(select.options).find(function (each) { return each.defaultSelected; });
    return (option || select.options[0] || { value: "" }).value;
  }

  function isChanged(field) {
    if (isTick(field)) return field.checked !== field.defaultChecked && (field.checked || field.type === "checkbox");
    if (field.matches("select")) return field.value !== chosenAtFirst(field);
    return field.value !== field.defaultValue;
  }

  function draftOf(field) {
    return {
      action: field.form.getAttribute("action"),
      name: field.name,
      value: field.value,
      checked: field.checked,
      isTick: isTick(field),
      changed: isChanged(field),
      focused: field === document.activeElement
    };
  }

  function placeOf(draft) {
    return Array.from(document.querySelectorAll("article[data-pk] form")).filter(function (form) {
      return form.getAttribute("action") === draft.action;
    }).flatMap(fieldsOf).find(function (field) {
      return field.name === draft.name && (!draft.isTick || field.value === draft.value);
    });
  }

  function putBack(draft) {
    var field = placeOf(draft);
    if (!field) return false;
    if (draft.changed && draft.isTick) field.checked = draft.checked;
    else if (draft.changed) field.value = draft.value;
    var folded = field.closest("details");
    if (folded) folded.open = true;
    if (draft.focused) field.focus({ preventScroll: true });
    return true;
  }

  document.addEventListener("htmx:beforeSwap", function (event) {
    var article = event.detail.shouldSwap && articleIn(event.detail.target);
    if (!article) return;
    var sent = event.detail.requestConfig.elt;
    drafts = Array.from(article.querySelectorAll("form")).filter(function (form) {
      return form !== sent;
    }).flatMap(fieldsOf).map(draftOf).filter(function (draft) { return draft.changed || draft.focused; });
  });

  document.addEventListener("htmx:afterSwap", function () {
    drafts = drafts.filter(function (draft) { return !putBack(draft); });
  });
})();
