"""A form as a browser would send it back."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client


class _Form(HTMLParser):
    """The controls of the forms of `main`, whose names do not repeat but for checkboxes."""

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, Any] = {}
        self._select = self._textarea = ""
        self._in_main = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        self._in_main = self._in_main or tag == "main"
        if not self._in_main or "disabled" in given:
            return
        if tag == "select":
            self._select = name
            self.data[name] = ""
        elif tag == "textarea":
            self._textarea = name
            self.data[name] = ""
        elif tag == "option" and "selected" in given:
            self.data[self._select] = value
        elif tag == "input" and given.get("type") in ("checkbox", "radio"):
            if "checked" in given:
                self.data.setdefault(name, []).append(given.get("value", "on"))
        elif tag == "input" and name:
            self.data[name] = value

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.data[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.data[self._textarea] = self.data[self._textarea].removeprefix("\n")
            self._textarea = ""


def filled(client: Client, path: str, **changes: Any) -> dict[str, Any]:
    """What the page's form sends when nothing but the changes is typed; None takes a field out."""
    form = _Form()
    form.feed(client.get(path).content.decode())
    return {name: value for name, value in {**form.data, **changes}.items() if value is not None}
