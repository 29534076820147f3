"""Plays steps: moves the clock, opens the page, presses the button, and lets the judge look."""

import random
import re
from dataclasses import dataclass
from datetime import timedelta

from . import addresses, facts, people
from .browser import Browser
from .clock import Clock
from .filling import Filled, fill
from .gateway import Gateway
from .judge import Judge
from .pages import Button, Page
from .people import QUESTIONS, Firm
from .steps import KEEP, LOOK, Step
from .worker import Worker

STATUS = "status"
FIRST_PAGES = ("home", "desk", "overview", "follow-ups")
DONE, REFUSED, NOT_SHOWN, NO_PAGE = "done", "refused", "not shown", "no page"
# Pages of confirmation after one press: an act asks once at most, a form has one check page.
MAX_CONFIRMATIONS = 2


@dataclass(frozen=True)
class Outcome:
    """What became of a step, and the page on which its person then stands."""

    result: str
    page: Page | None = None
    sentence: str = ""


class Player:
    """All people of a run with their browsers, the worker and the gateway."""

    def __init__(self, clock: Clock):
        self.clock = clock
        Gateway.forget()
        self.officers = people.hire()
        self.firms: dict[int, Firm] = {}
        self.names: dict[str, int] = {}
        self.judge = Judge(clock, self.names, {officer.name for officer in self.officers.values()})
        self.worker = Worker(clock, self.judge.forget, self._after_round)
        self.judge.worker = self.worker
        Gateway.on_letter = staticmethod(self._on_letter)
        self.on_letter = lambda notice, at: None
        self.kept: dict[tuple, Page] = {}
        self.steps_played = 0
        self._open: tuple[str, str, Page] | None = None
        self._browsers: dict[str, Browser] = {}
        self.worker.work()

    # --- who -----------------------------------------------------------------------------------------------------------
    def firm(self, number: int) -> Firm:
        if number not in self.firms:
            self.firms[number] = made = people.firm(number)
            self.names[made.uscc] = number
            if made.is_dead:
                Gateway.dead.add(facts.canonical_phone(made.phone))
        return self.firms[number]

    def browser(self, who: str) -> Browser:
        if who not in self._browsers:
            self._browsers[who] = self._new_browser(who)
        return self._browsers[who]

    def _new_browser(self, who: str) -> Browser:
        def on_answer(page: Page) -> None:
            self.judge.answered(who, page)

        if who.startswith("firm "):
            return Browser(self.clock, self.firm(int(who[5:])).network, on_answer)
        return Browser(self.clock, "192.0.2.1", on_answer, self.officers[who])

    # --- one step ------------------------------------------------------------------------------------------------------
    def play(self, step: Step) -> Outcome:
        self.worker.run_until(step.at)
        self.clock.move_to(step.at)
        self.worker.beat()
        self.judge.calls()
        self.steps_played += 1
        if step.who == "gateway":
            Gateway.down_until = self.clock.now + timedelta(minutes=step.minutes)
            return Outcome(DONE)
        if step.who == "worker":
            self.worker.stop_for(timedelta(minutes=step.minutes))
            return Outcome(DONE)
        outcome = self._person(step)
        if step.act not in (LOOK, KEEP) and self._look_after(step, outcome):
            self.worker.hurry()
        return outcome

    def _look_after(self, step: Step, outcome: Outcome) -> bool:
        """Whether the step has changed anything."""
        own = self.firm(int(step.who[5:])).uscc if step.who.startswith("firm ") else ""
        told = outcome.result == DONE and bool(outcome.page and outcome.page.successes)
        return self.judge.look(step, own=own, told=told)

    def _after_round(self) -> None:
        self.judge.look()

    def _on_letter(self, notice, at) -> None:
        self.judge.sent(notice, at)
        self.on_letter(notice, at)

    def _person(self, step: Step) -> Outcome:
        browser = self.browser(step.who)
        page = self.kept.get((step.who, step.page, step.kept)) if step.kept else self.open(browser, step)
        if page is None:
            return Outcome(NO_PAGE)
        return self.act(browser, step, page)

    def act(self, browser: Browser, step: Step, page: Page) -> Outcome:
        """Do the act of the step on a page that is open."""
        if step.act == LOOK:
            return Outcome(DONE, page)
        if step.act == KEEP:
            self.kept[step.who, step.page, step.at] = page
            return Outcome(DONE, page)
        button = page.button(step.act)
        return self._press(browser, page, button, step) if button else Outcome(NOT_SHOWN, page)

    def open(self, browser: Browser, step: Step) -> Page | None:
        """The page of the step, as it is now; None where it does not exist. One that was loaded this second is used again."""
        if self._open and self._open[:2] == (step.who, step.page) and self._open[2].at == self.clock.now:
            return self._open[2]
        page = self._load(browser, step)
        self._open = (step.who, step.page, page) if page else None
        return page

    def _load(self, browser: Browser, step: Step) -> Page | None:
        kind, _, record = step.page.partition(" ")
        if kind == STATUS:
            return self._look_up(browser, step, record)
        url = addresses.address(step.page, self.judge.world())
        page = browser.get(url) if url else None
        if step.page in FIRST_PAGES:
            officer = self.officers[step.who]
            self.judge.first_page(
                step.who, step.page, page, officer.division.name if officer.division else ""
            )
        return page

    def _look_up(self, browser: Browser, step: Step, name: str) -> Page | None:
        """/status/, opened for the registration: with 受理编号 and telephone, unless it is open already."""
        one = self.judge.world().by_name.get(name)
        if one is None:
            return None
        page = browser.get("/status/")
        if one.reference not in page.text:
            page = self._enter(browser, self._leave(browser, page), one)
        self.judge.firms_page(page, name)
        return page

    def _leave(self, browser: Browser, page: Page) -> Page:
        token = page.tree.xpath(
            "//form[contains(@action, '/status/leave/')]//input[@name='csrfmiddlewaretoken']/@value"
        )
        return browser.post("/status/leave/", [("csrfmiddlewaretoken", token[0])]) if token else page

    def _enter(self, browser: Browser, page: Page, one) -> Page:
        asks = page.button(STATUS)
        if asks is None:
            return page
        known = {"reference": one.reference, "phone": facts.phone_of(one.pk)[0]}
        filled = fill(page, asks, random.Random(0), known, wrong=False)
        return browser.post(asks.url, filled.data)

    # --- one press -----------------------------------------------------------------------------------------------------
    def _press(self, browser: Browser, page: Page, button: Button, step: Step) -> Outcome:
        rng = random.Random(step.pick)
        page, button = self._form_of(browser, page, button)
        if button is None:
            return Outcome(NOT_SHOWN, page)
        known = self._known(step, rng)
        filled = fill(page, button, rng, known, wrong=step.wrong)
        self._open = None
        # An officer reads the answer to every fourth act: the screens are half of the work of a run.
        follow = step.who.startswith("firm ") or step.pick % 4 == 0
        after = browser.post(button.url, filled.data, follow=follow)
        for _ in range(MAX_CONFIRMATIONS):
            if not (confirm := _confirmation(after, button)):
                break
            filled = fill(after, confirm, rng, known, wrong=False)
            after = browser.post(confirm.url, filled.data)
        return self._judged(step, page, after, filled)

    def _form_of(self, browser: Browser, page: Page, button: Button) -> tuple[Page, Button | None]:
        """A link leads to a page of its own, which has the form."""
        if not button.link:
            return page, button
        page = browser.get(button.url)
        forms = [
            each for each in page.buttons if not each.link and each.name.partition("=")[0] == button.name
        ]
        return page, forms[0] if forms else None

    def _known(self, step: Step, rng: random.Random) -> dict[str, str]:
        """What this person types: the particulars of the firm that the page is about, and a question."""
        number = self._firm_number(step)
        if number is None:
            return {}
        known = self.firm(number).texts() | {"summary": rng.choice(QUESTIONS), "id_type": "resident"}
        known["wants_onsite"] = "0" if rng.random() < 0.15 else "1"
        if step.act == "contact" or (step.act == "amend" and rng.random() < 0.3):
            known["phone"] = f"137{step.pick:04d}{number % 10000:04d}"
        return known

    def _firm_number(self, step: Step) -> int | None:
        if step.page == "entry":
            return 100_000 + step.pick % 1000
        if found := re.search(r" F(\d+)/", step.page):
            return int(found[1])
        return int(step.who[5:]) if step.who.startswith("firm ") else None

    def _judged(self, step: Step, page: Page, after: Page, filled: Filled) -> Outcome:
        refusals = after.refusals
        if after.status < 400 and not refusals:
            return Outcome(DONE, after)
        sentence = (
            " ".join(dict.fromkeys(refusals))[-200:] if refusals else f"{after.status} {after.text[:120]}"
        )
        if after.status < 500:
            if not step.kept and not step.wrong and page.at == self.clock.now:
                self.judge.button_refused(step, sentence)
            for name, text in filled.typed.items():
                if not after.holds(text):
                    self.judge.text_lost(step, re.sub(r"^row-\d+-", "", name))
        return Outcome(REFUSED, after, sentence)


def _confirmation(page: Page, pressed: Button) -> Button | None:
    """The button by which a page asks whether the act is meant; None where the page is the answer."""
    if page.status >= 400 or page.refusals or page.successes:
        return None
    name = pressed.name.partition("=")[0]
    found = [each for each in page.buttons if each.name == f"{name}=submit"]
    if not found and page.url.partition("#")[0] == pressed.url and "=" not in pressed.name:
        found = [each for each in page.buttons if not each.link and each.name.partition("=")[0] == name]
    return found[0] if found else None
