"""A page as a person sees it: its buttons, links and texts, read from the HTML that was really shown."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from urllib.parse import urljoin, urlsplit

from lxml import html

# Forms that every page has, and that are no act.
NO_ACTS = {"leave", "logout"}
_ACT_LINK = re.compile(r"^/status/(?!form/|leave/)([\w-]+)/$")
_BLANKS = re.compile(r"\s+")
Data = list[tuple[str, str]]


@dataclass(frozen=True)
class Button:
    """A button of a form, or (`link`) a link that leads to the form of an act.

    `name` is the last part of the address to which it leads, and the value of the button if it has one: `outcome=solved`.
    """

    name: str
    url: str
    form: int = -1
    submits: tuple[str, str] | None = None
    label: str = ""
    link: bool = False


@dataclass(frozen=True)
class Page:
    """The answer to one request. `at` is when it was loaded."""

    url: str
    status: int
    content: bytes = field(repr=False)
    at: datetime
    exception: BaseException | None = None

    @cached_property
    def tree(self):
        return html.document_fromstring(
            self.content or b"<html></html>", parser=html.HTMLParser(encoding="utf-8")
        )

    @cached_property
    def main(self):
        found = self.tree.xpath("//main")
        return found[0] if found else self.tree

    @cached_property
    def text(self) -> str:
        """All that is to be read in the main part, without blanks between the lines."""
        return squeeze(self.main.text_content())

    @property
    def buttons(self) -> list[Button]:
        return [*self._posting_buttons(), *self._act_links()]

    def button(self, name: str) -> Button | None:
        return next((each for each in self.buttons if each.name == name), None)

    def _posting_buttons(self):
        for number, form in enumerate(self.main.forms):
            if form.method != "POST":
                continue
            for control in form.xpath(".//button[not(@type) or @type='submit'] | .//input[@type='submit']"):
                url = self._target(control.get("formaction") or form.action)
                value = (control.get("name"), control.get("value") or "") if control.get("name") else None
                name = _name(url, value)
                if name not in NO_ACTS:
                    yield Button(name, url, number, value, squeeze(control.text_content()))

    def _act_links(self):
        for link in self.main.xpath(".//a[@href]"):
            if found := _ACT_LINK.match(link.get("href")):
                yield Button(found[1], link.get("href"), label=squeeze(link.text_content()), link=True)

    def _target(self, action: str | None) -> str:
        return urlsplit(urljoin(self.url, action or self.url)).path

    def form(self, number: int):
        """A fresh copy of the form, to be filled in."""
        tree = html.document_fromstring(self.content, parser=html.HTMLParser(encoding="utf-8"))
        return (tree.xpath("//main") or [tree])[0].forms[number]

    @property
    def links(self) -> list[tuple[str, str]]:
        """Address (with its fragment) and label of every link of the main part that stays on this site."""
        found = ((link.get("href"), squeeze(link.text_content())) for link in self.main.xpath(".//a[@href]"))
        return [
            (urljoin(self.url, href), label)
            for href, label in found
            if not href.startswith(("#", "http", "tel:"))
        ]

    @property
    def refusals(self) -> list[str]:
        """What stands in the way: the alerts of the page."""
        alerts = self.main.xpath(
            ".//*[@role='alert'] | .//*[contains(@class, 'notice-error')] | .//p[@class='error']"
        )
        return [text for text in (squeeze(each.text_content()) for each in alerts) if text]

    @property
    def successes(self) -> list[str]:
        found = self.main.xpath(".//*[contains(@class, 'messages')]//*[contains(@class, 'notice-success')]")
        return [squeeze(each.text_content()) for each in found]

    def holds(self, text: str) -> bool:
        """Whether the page shows the text: to be read, or in a field."""
        wanted = squeeze(text)
        values = self.tree.xpath("//input/@value") + self.tree.xpath("//textarea/text()")
        return wanted in self.text or any(wanted in squeeze(value) for value in values)


def squeeze(text: str) -> str:
    return _BLANKS.sub("", text)


def _name(url: str, value: tuple[str, str] | None) -> str:
    last = [part for part in url.split("/") if part and not part.isdigit()][-1:] or ["home"]
    return f"{last[0]}={value[1]}" if value else last[0]
