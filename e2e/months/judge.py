"""The judge of a run: after every step, after every round of the worker, at every letter and on every page."""

from collections.abc import Iterable
from datetime import date

from . import counting, facts, letters, sentences
from .clock import Clock
from .invariants import INVARIANTS, Look, Memory
from .pages import Page, squeeze
from .steps import Step
from .violations import Broken, Violation
from .worker import Worker

# Sentences of frameworks that no page may show.
FOREIGN = (
    "这个字段是必填项",
    "确保该变量",
    "此字段",
    "请填写这个字段",
    "选择一个有效的选项",
    "输入一个有效的",
    "Enter a valid",
)


class Judge:
    """Collects violations. The first of a kind about one record counts; the same again is the same."""

    def __init__(self, clock: Clock, names: dict[str, int], officers: set[str]):
        self.clock, self.names, self.officers = clock, names, officers
        self.worker: Worker | None = None
        self.violations: list[Violation] = []
        self.memory = Memory()
        self.own_letters: set[int] = set()
        self.letters_judged = 0
        self._known: set[tuple] = set()
        self._moves = self._trail = self._letters = 0
        self._store = facts.Letters()
        self._world: facts.World | None = None
        self._last = self.world()
        self._calls_judged_on: date | None = None

    def world(self) -> facts.World:
        """The rows as they are now, read again after `forget`."""
        if self._world is None or self._world.now != self.clock.now:
            self._world = facts.World(self.clock.now, self.names, self._store)
        return self._world

    def forget(self) -> None:
        self._world = None

    def report(self, invariant: str, broken: Iterable[Broken]) -> None:
        for each in broken:
            if (key := (invariant, each.kind, each.subject)) not in self._known:
                self._known.add(key)
                found = Violation(invariant, each.kind, each.subject, each.text, facts.local(self.clock.now))
                self.violations.append(found)

    # --- after a step or a round -----------------------------------------------------------------------------------
    def look(self, step: Step | None = None, *, own: str = "", told: bool = False) -> bool:
        """Check every invariant on what changed since the last look. Whether anything was written."""
        self.forget()
        before, after = self._last, self.world()
        look = Look(
            before,
            after,
            facts.moves_since(self._moves),
            facts.trail_since(self._trail),
            [letter for letter in after.letters if letter.pk > self._letters],
            self.memory,
            own=own,
            told=told,
            act=step.act.partition("=")[0] if step else "",
            up_since=self.worker.up_since,
        )
        for check in INVARIANTS:
            self.report(check.__name__, check(look))
        self._judge_pages_of_letters(look, own)
        self._moves = max([self._moves, *(move.pk for move in look.moves)])
        self._trail = max([self._trail, *(entry.pk for entry in look.trail)])
        self._last = after
        return bool(look.moves or look.trail or look.letters)

    def _judge_pages_of_letters(self, look: Look, own: str) -> None:
        """Letters on the progress page are there at once; they are judged as they are written."""
        new = facts.texts_since(self._letters)
        for notice in new:
            if own and notice.about_kind == facts.REGISTRATION:
                one = look.after.registration(notice.about_id)
                if one and one.uscc == own:
                    self.own_letters.add(notice.pk)
            if notice.channel == "page":
                self.report(
                    "no_letter_is_untrue",
                    letters.judge_text(notice, f"{notice.subject}{notice.text}", look.after),
                )
        self._letters = max([self._letters, *(notice.pk for notice in new)])

    # --- letters -------------------------------------------------------------------------------------------------------
    def sent(self, notice, at) -> None:
        """At the instant at which a letter leaves."""
        self.letters_judged += 1
        own = notice.pk in self.own_letters
        self._note_deadline(notice, at)
        to_firm = notice.about_kind == facts.REGISTRATION and notice.to_name not in self.officers
        judged = letters.judge_sent(notice, at, self.world(), answers_own_act=own, to_firm=to_firm)
        self.report("no_letter_is_untrue", judged)

    def _note_deadline(self, notice, at) -> None:
        one = self.world().registration(notice.about_id) if notice.about_kind == facts.REGISTRATION else None
        told = sentences.deadline_told(squeeze(notice.text), at)
        if one and one.seat and told:
            self.memory.deadlines[one.pk] = (one.seat.offered_at, told)

    def calls(self) -> None:
        """Once a day: what a person who works through the list of calls would say today."""
        today = facts.local(self.clock.now).date()
        if self._calls_judged_on == today or facts.local(self.clock.now).hour < 8:
            return
        self._calls_judged_on = today
        for notice, said in facts.calls_to_say(self.clock.now):
            self.report("no_call_is_untrue", letters.judge_text(notice, said, self.world()))

    # --- pages ---------------------------------------------------------------------------------------------------------
    def answered(self, who: str, page: Page) -> None:
        """Every answer to every request."""
        if page.status >= 500:
            what = (
                f"{type(page.exception).__name__}: {page.exception}"[:300] if page.exception else page.status
            )
            where = "/".join("N" if part.isdigit() else part for part in page.url.split("?")[0].split("/"))
            self.report(
                "no_answer_fails",
                [Broken(f"{where} {type(page.exception).__name__}", who, f"{where}: {what}")],
            )
        elif any(foreign in page.text for foreign in FOREIGN):
            found = next(foreign for foreign in FOREIGN if foreign in page.text)
            where = "/".join("N" if part.isdigit() else part for part in page.url.split("?")[0].split("/"))
            self.report("every_sentence_is_ours", [Broken(where, who, f"{where}: {found}")])

    def firms_page(self, page: Page, name: str) -> None:
        """No sentence of the firm's page is against the facts, and no button is open that is over."""
        one = self.world().by_name.get(name)
        if one is None:
            return
        panel = "".join(
            squeeze(each.text_content()) for each in page.main.xpath(".//div[contains(@class,'panel')]")
        )
        self.report("no_page_is_untrue", self._untrue_page(panel, one))
        self.report("no_button_is_past", self._past_buttons(page, one))

    def _untrue_page(self, panel: str, one) -> Iterable[Broken]:
        for claim, why in sentences.untrue(panel, one, self.world()):
            yield Broken(f"{claim} ({one.stage})", one.name, why)

    def _past_buttons(self, page: Page, one) -> Iterable[Broken]:
        names = {button.name for button in page.buttons}
        over = self.clock.now >= one.day.starts_at
        for name in names & {"confirm", "give-up", "withdraw"}:
            if one.stage == "seated" and over:
                yield Broken(f"{name} ({one.stage})", one.name, f"offers {name}, its day has begun")
            if one.talk:
                yield Broken(f"{name} (checked in)", one.name, f"offers {name}, it has checked in")
        if "enough" in names and not one.has_reply:
            yield Broken("enough", one.name, "offers 书面答复已够, and there is none")

    def button_refused(self, step: Step, sentence: str) -> None:
        """A button that a fresh page shows works, when it is rightly used."""
        self.report(
            "a_shown_button_works", [Broken(f"{step.act}: {sentence[:40]}", step.page, sentence[:160])]
        )

    def text_lost(self, step: Step, name: str) -> None:
        """Nothing typed is lost."""
        self.report(
            "nothing_typed_is_lost", [Broken(f"{step.act}: {name}", step.page, f"{name} is not on the page")]
        )

    def first_page(self, who: str, name: str, page: Page, division: str) -> None:
        """Every number on a first page equals the list behind it."""
        for what, said, real in counting.counts(page, self.world(), division):
            if said != real:
                broken = Broken(f"{name}: {what}", who, f"it says {said}, the list has {real}")
                self.report("numbers_equal_their_lists", [broken])
