"""What a browser sends of a form on a page when somebody presses Enter in one of its fields."""

from __future__ import annotations

from html.parser import HTMLParser

TYPED = ("text", "hidden", "search", "email", "tel", "number", "date", "datetime-local")

Sent = dict[str, str]


class _Forms(HTMLParser):
    """The forms of a page: their address, and their fields as they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, Sent]] = []
        self._is_inside = self._has_button = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
            self._is_inside, self._has_button = True, False
        elif self._is_inside:
            self._take(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False

    def _take(self, tag: str, given: Sent) -> None:
        fields, name, value = self.forms[-1][1], given.get("name", ""), given.get("value", "")
        kind = given.get("type", "submit" if tag == "button" else "text")
        if tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in given or self._select not in fields):
            fields[self._select] = value
        elif tag == "input" and name and (kind in TYPED or "checked" in given):
            fields[name] = value
        elif tag in ("button", "input") and kind == "submit" and not self._has_button:
            # Enter presses the first submit button of a form, whichever field one is in.
            self._has_button = True
            if name:
                fields[name] = value


def sent_by_enter(page: str, *, action: str, field: str) -> Sent:
    """The fields of the form that goes to `action` and has that field."""
    parser = _Forms()
    parser.feed(page)
    (sent,) = (fields for address, fields in parser.forms if address == action and field in fields)
    return sent
