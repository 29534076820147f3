"""Decides who does what next: everybody wakes when a letter comes or a day passes, looks at the own page, and does something it shows.

It knows no rule of the service: an act is taken from the buttons of the page. What it has are habits: how often, and how likely.
"""

import heapq
import random
from collections.abc import Callable
from datetime import datetime, time, timedelta
from itertools import count

from zhoushan_consult.clock import local_date, local_datetime

from . import addresses, facts, people
from .pages import Button, Page
from .player import DONE, Player
from .steps import KEEP, LOOK, Step

MINUTES = {"ten minutes": 10, "two days": 2 * 1440, "five days": 5 * 1440}
NEVER = {"status", "status=check", "change_list", "appointment", "consultday", "set_theme"}
# How likely each button of a page is pressed, against the others and against nothing.
FIRM_HABITS = {
    "confirm": 200, "give-up": 20, "withdraw": 1, "still-onsite": 40, "enough": 16, "solved": 16, "unsolved": 6, "rate": 16,
    "amend": 6,
}  # fmt: skip
OFFICER_HABITS = {
    "accept": 80, "decline": 8, "notified": 60, "call": 2, "check_in": 8, "conclude": 8, "reassign": 1, "add": 2,
    "confirm_seat": 3, "give_up": 2, "extra_seat": 3, "progress": 12, "close_matter": 30, "close": 25, "reconsider": 3,
    "reveal_id": 1, "edit": 40, "copy_last": 20, "submit": 60, "approve": 90, "send_back": 10, "settle": 90, "amend": 3,
    "rearrange": 2, "cancel": 1, "save": 8, "sign": 80, "send-back": 12, "hand-back": 3, "close=": 30, "check-in": 40,
    "outcome=solved": 40, "outcome=follow": 25, "outcome=absent": 12, "call-in": 30, "retry": 30, "telephone": 30,
    "dismiss": 15, "again": 30, "waive": 10, "receptions=comes": 30, "receptions=absent": 8, "add=": 80,
}  # fmt: skip
FIRM_NOTHING, OFFICER_NOTHING, OTHER = 35, 8, 5
STALE, WRONG = 0.06, 0.07
DESK = [name for code in ("general", *people.DIVISIONS) for name in (code, f"{code}-head")]
FIRMS_A_MONTH = (12, 25)
OFFICE_HOURS = (8.7, 17.2)


class Director:
    """Makes the steps of a run as it plays them. `steps` are those made so far."""

    def __init__(self, player: Player, seed: int, begin: datetime, until: datetime):
        self.player, self.rng, self.until = player, random.Random(f"months {seed}"), until
        self.begin, self.steps = begin, []
        self._agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._numbers, self._firms = count(), count(1)
        self._moods: dict[str, set[str]] = {}
        self._slow: set[str] = set()
        self._kept: list[Step] = []
        self._awake: set[str] = set()
        self.player.on_letter = self._on_letter

    def play(self) -> None:
        self._plan_month(local_date(self.begin).replace(day=1))
        while self._agenda and self._agenda[0][0] < self.until:
            at, _, wake = heapq.heappop(self._agenda)
            wake(max(at, self.player.clock.now + timedelta(seconds=1)))
        self.player.worker.run_until(self.until)

    def _at(self, at: datetime, wake: Callable[[datetime], None]) -> None:
        heapq.heappush(self._agenda, (at.replace(microsecond=0), next(self._numbers), wake))

    def _do(self, at: datetime, who: str, page: str, act: str, **options):
        """Record a step and play it."""
        at = max(at, self.player.clock.now).replace(microsecond=0)
        if self.player.clock.now > at:
            at += timedelta(seconds=1)
        step = Step(at, who, page, act, **options)
        self.steps.append(step)
        return self.player.play(step)

    # --- the month -----------------------------------------------------------------------------------------------------
    def _plan_month(self, first) -> None:
        """What will happen in this month: arrivals, working days, a cancelled day, outages, and who is careless."""
        rng, following = self.rng, (first + timedelta(days=32)).replace(day=1)
        if local_datetime(first) >= self.until:
            return
        self._at(local_datetime(following), lambda at: self._plan_month(following))
        self._moods = {mood: {"careless"} if rng.random() < 0.12 else set() for mood in ("plan", "settle")}
        self._slow = {who for who in self.player.officers if rng.random() < 0.15}
        begins = max(first, local_date(self.begin) + timedelta(days=1))
        days = (following - begins).days
        if rng.random() < 0.18:
            self._at(self._any_time(first, 11), self._cancel)
        for _ in range(rng.randint(*FIRMS_A_MONTH)):
            self._at(self._any_time(begins, days), self._register_new)
        for day in range(days):
            self._plan_day(begins + timedelta(days=day))
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            self._at(self._any_time(begins, days), self._outage)

    def _any_time(self, first, days: int) -> datetime:
        hour = min(23.9, max(0, self.rng.gauss(14, 4.5)))
        day = first + timedelta(days=self.rng.randrange(days))
        return local_datetime(day) + timedelta(hours=hour, seconds=self.rng.randrange(60))

    def _plan_day(self, day) -> None:
        works = day.weekday() < 5 or day.day == 10
        if works:
            for who, chance in (
                ("lead", 0.8),
                ("clerk", 0.5),
                ("leader", 0.25),
                ("system", 0.15),
                ("watch", 0.1),
            ):
                if self.rng.random() < chance:
                    self._at(self._office_time(day), self._wake_officer(who))
            if self.rng.random() < 0.5:
                self._at(self._office_time(day), self._browse)
        if day.day == 10:
            for hour in (8.2, 8.7, 9.5, 10.2, 11.0, 11.4, 13.0):
                at = local_datetime(day) + timedelta(hours=hour, seconds=self.rng.randrange(900))
                self._at(at, self._run_the_day)
        if works and self.rng.random() < 0.5:
            self._at(self._office_time(day), self._wake_officer(self.rng.choice(DESK)))
        if self.rng.random() < 0.6:
            self._at(self._any_time(day, 1), self._wake_any_firm)

    def _office_time(self, day) -> datetime:
        hour = self.rng.uniform(*OFFICE_HOURS)
        return local_datetime(day, time()) + timedelta(hours=hour, seconds=self.rng.randrange(60))

    # --- outages -------------------------------------------------------------------------------------------------------
    def _outage(self, at: datetime) -> None:
        who, act = self.rng.choice([("gateway", "down"), ("gateway", "down"), ("worker", "stop")])
        self._do(at, who, "-", act, minutes=self.rng.choice(list(MINUTES.values())))

    # --- firms ---------------------------------------------------------------------------------------------------------
    def _register_new(self, at: datetime) -> None:
        number = next(self._firms)
        self._register(at, number)
        if self.rng.random() < 0.08:
            later = at + timedelta(hours=self.rng.choice([0.05, 5, 80, 700]))
            self._at(later, lambda then: self._register(then, number))

    def _register(self, at: datetime, number: int) -> None:
        self.player.firm(number)
        options = {"wrong": True} if self.rng.random() < WRONG else {}
        outcome = self._do(
            at, f"firm {number}", "register", self._first_button(), pick=self._pick(), **options
        )
        if outcome.result != DONE:
            outcome = self._do(at, f"firm {number}", "register", self._first_button(), pick=self._pick())

    def _first_button(self) -> str:
        return "register=check" if self.rng.random() < 0.6 else "register"

    def _on_letter(self, notice, at: datetime) -> None:
        """Who gets a letter wakes some time later, if at all."""
        if notice.about_kind == facts.REGISTRATION and notice.channel in ("sms", "email"):
            one = self.player.judge.world().registration(notice.about_id)
            hours = self.rng.choice([0.1, 0.5, 2, 6, 20, 30, 49, 70, 140])
            if one and self.rng.random() < 0.8 and f"read {one.name}" not in self._awake:
                self._awake.add(f"read {one.name}")
                self._at(at + timedelta(hours=hours), lambda then: self._wake_firm(then, one.name))
        elif notice.about_kind != facts.REGISTRATION:
            self._wake_reader(notice, at)

    def _wake_reader(self, notice, at: datetime) -> None:
        who = next((name for name, each in self.player.officers.items() if each.name == notice.to_name), None)
        if who is None or who in self._awake or who in ("lead", "clerk"):
            return
        self._awake.add(who)
        slow = 4 if who in self._slow else 1
        days = self.rng.choice([0, 0, 1, 1, 2, 3, 5]) * slow
        self._at(self._office_time(local_date(at) + timedelta(days=days)), self._wake_officer(who))

    def _wake_any_firm(self, at: datetime) -> None:
        live = [
            one for one in self.player.judge.world().registrations.values() if one.uscc in self.player.names
        ]
        recent = [one for one in live if at - one.submitted_at < timedelta(days=75)]
        if recent:
            self._wake_firm(at, self.rng.choice(recent).name)

    def _wake_firm(self, at: datetime, name: str) -> None:
        self._awake.discard(f"read {name}")
        one = self.player.judge.world().by_name.get(name)
        if one is None or one.uscc not in self.player.names:
            return
        number = self.player.names[one.uscc]
        who, page = f"firm {number}", f"status {name}"
        if self.rng.random() < STALE:
            self._keep(at, who, page)
        outcome = self._do(at, who, page, LOOK)
        if outcome.page:
            self._choose(at, who, page, outcome.page, FIRM_HABITS, FIRM_NOTHING)
        if one.stage == "withdrawn" and self.rng.random() < 0.2:
            self._at(
                at + timedelta(hours=self.rng.choice([1, 30])), lambda then: self._register(then, number)
            )

    # --- officers ------------------------------------------------------------------------------------------------------
    def _wake_officer(self, who: str) -> Callable[[datetime], None]:
        def wake(at: datetime) -> None:
            self._awake.discard(who)
            home = "home" if who in ("lead", "clerk", "leader", "system") else "desk"
            outcome = self._do(at, who, home, LOOK)
            if outcome.page:
                self._work_through(who, outcome.page)

        return wake

    def _work_through(self, who: str, home: Page) -> None:
        """Some of the links of a first page, from the top."""
        world = self.player.judge.world()
        links = [(url, addresses.page_name(url, world)) for url, _ in home.links]
        wanted = [
            (url, name) for url, name in dict(links).items() if (name and " " in name) or name == "receptions"
        ]
        chosen = wanted[: self.rng.randint(1, 5)]
        if wanted and self.rng.random() < 0.3:
            chosen.append(self.rng.choice(wanted))
        for url, name in chosen:
            at = self.player.clock.now + timedelta(
                minutes=self.rng.randint(1, 9), seconds=self.rng.randrange(60)
            )
            self._visit(at, who, name, url.partition("#panel-")[2])

    def _visit(self, at: datetime, who: str, name: str, wanted: str = "") -> None:
        """Open a page and press one of its buttons, above all the one for which it was opened."""
        if self.rng.random() < STALE:
            self._keep(at, who, name)
        outcome = self._look_quietly(at, who, name)
        if outcome:
            habits = OFFICER_HABITS | ({wanted: 300} if wanted else {})
            self._choose(at, who, name, outcome, self._in_this_month(habits, name), OFFICER_NOTHING)

    def _look_quietly(self, at: datetime, who: str, name: str) -> Page | None:
        """Without a step of its own: the act that follows opens the page too."""
        self.player.worker.run_until(at)
        self.player.clock.move_to(at)
        return self.player.open(self.player.browser(who), Step(self.player.clock.now, who, name, LOOK))

    def _in_this_month(self, habits: dict[str, int], name: str) -> dict[str, int]:
        if not name.startswith("day "):
            return habits
        careless = {"plan": ("approve", "submit"), "settle": ("settle",)}
        left_out = {
            act for mood, acts in careless.items() if "careless" in self._moods.get(mood, ()) for act in acts
        }
        return {act: 0 if act in left_out else weight for act, weight in habits.items()}

    def _cancel(self, at: datetime) -> None:
        """局领导 cancels one of the days ahead."""
        ahead = [day for day in self.player.judge.world().days.values() if day.ends_at > at]
        if ahead:
            self._do(at, "leader", f"day {self.rng.choice(ahead).slug}", "cancel", pick=self._pick())

    def _browse(self, at: datetime) -> None:
        """What is not on a list: an old registration, a plan ahead, a firm that telephones."""
        rng, world = self.rng, self.player.judge.world()
        who = rng.choice(["lead", "lead", "clerk", "leader"])
        what = rng.random()
        if what < 0.45 and world.registrations:
            recent = list(world.registrations.values())[-60:]
            self._visit(at, who, f"registration {rng.choice(recent).name}")
        elif what < 0.8 and world.days:
            self._visit(at, who, f"day {rng.choice(list(world.days.values())[-3:]).slug}")
        elif what < 0.84:
            self._visit(at, "watch", "receptions")
        elif what < 0.92 and who != "leader":
            self._do(at, who, "entry", "add", pick=self._pick())
        elif who != "leader":
            self._do(at, who, "new-day", "add", pick=self._pick())

    def _run_the_day(self, at: datetime) -> None:
        """At the entrance: firms come, talks end, firms that wait are called in."""
        world = self.player.judge.world()
        slug = f"{local_date(at):%Y-%m}"
        if (day := world.day_on(slug)) is None:
            return
        seated = [one for one in world.of_day(day) if one.stage == "seated"]
        for one in self.rng.sample(seated, min(len(seated), 4)):
            now = self.player.clock.now + timedelta(minutes=self.rng.randint(1, 4))
            self._visit(max(at, now), self.rng.choice(["lead", "clerk"]), f"table {one.name}")
        if self.rng.random() < 0.6:
            self._visit(self.player.clock.now + timedelta(minutes=1), "lead", f"floor {slug}")

    # --- one act -------------------------------------------------------------------------------------------------------
    def _choose(
        self, at: datetime, who: str, name: str, page: Page, habits: dict[str, int], nothing: int
    ) -> None:
        buttons = [button for button in page.buttons if button.name not in NEVER]
        weights = [_weight(button, habits) for button in buttons]
        if not buttons or self.rng.random() < nothing / (nothing + sum(weights) or 1):
            return
        button = self.rng.choices(buttons, weights)[0]
        act_at = self.player.clock.now
        wrong = self.rng.random() < WRONG
        outcome = self._do(act_at, who, name, button.name, pick=self._pick(), wrong=wrong)
        # Once more: rightly this time, or as a second click.
        if (wrong and outcome.result != DONE) or self.rng.random() < 0.05:
            self._do(act_at, who, name, button.name, pick=self._pick())

    def _keep(self, at: datetime, who: str, name: str) -> None:
        """Load a page and leave it open; some time later one of its buttons is pressed."""
        outcome = self._do(at, who, name, KEEP)
        buttons = (
            [button for button in outcome.page.buttons if button.name not in NEVER] if outcome.page else []
        )
        if not buttons:
            return
        kept = self.steps[-1].at
        habits = FIRM_HABITS if who.startswith("firm") else OFFICER_HABITS
        button = self.rng.choices(buttons, [_weight(each, habits) for each in buttons])[0]
        if self.rng.random() * 8 > _weight(button, habits):
            return
        hours = self.rng.choice([0.05, 0.3, 1, 5, 24, 49, 100])
        looks_again = who.startswith("firm") and self.rng.random() < 0.7

        def press(then: datetime) -> None:
            if looks_again:
                self._do(then, who, name, LOOK)
            self._do(then + timedelta(seconds=20), who, name, button.name, pick=self._pick(), kept=kept)

        self._at(at + timedelta(hours=hours), press)

    def _pick(self) -> int:
        return self.rng.randrange(1, 10_000)


def _weight(button: Button, habits: dict[str, int]) -> int:
    """A button that no habit names is tried now and then: a new act is played without a change here."""
    return habits.get(button.name, habits.get(f"{button.name.partition('=')[0]}=", OTHER))
