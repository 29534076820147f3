"""The pages by name, as steps call them: `registration F7/1` is the screen of the first registration of firm 7.

Keys of rows change when a step is left out; names made of owner and order seldom do.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from .facts import DAY, REGISTRATION, World

Name = str

FIXED = {
    "home": "/admin/",
    "desk": "/desk/",
    "new-day": "/admin/sessions_app/consultday/add/",
    "days": "/admin/sessions_app/consultday/",
    "entry": "/admin/appointments/appointment/add/",
    "list": "/admin/appointments/appointment/?stage=all&day=all",
    "overview": "/desk/overview/",
    "follow-ups": "/desk/follow-ups/",
    "receptions": "/desk/receptions/",
    "register": "/register/",
    "portal": "/",
}
_PATTERNS = {
    "registration": r"^/admin/appointments/appointment/(\d+)/change/$",
    "day": r"^/admin/sessions_app/consultday/(\d+)/change/$",
    "floor": r"^/admin/sessions_app/consultday/(\d+)/floor/$",
    "table": r"^/admin/sessions_app/consultday/\d+/floor/(\d+)/$",
    "letter": r"^/admin/outbox/notice/(\d+)/change/$",
    "duty": r"^/admin/duties/duty/(\d+)/change/$",
    "work": r"^/desk/assignments/(\d+)/$",
    "matter": r"^/desk/follow-ups/(\d+)/$",
}


def page_name(url: str, world: World) -> Name | None:
    """The name of the page at an address; None for pages without acts."""
    path = urlsplit(url).path
    for name, fixed in FIXED.items():
        if path == urlsplit(fixed).path:
            return name
    for kind, pattern in _PATTERNS.items():
        if found := re.match(pattern, path):
            record = _OF_KEY[kind](int(found[1]), world)
            return record and f"{kind} {record}"
    return None


def address(name: Name, world: World) -> str | None:
    """The address of a named page; None where its record does not exist (any more)."""
    kind, _, record = name.partition(" ")
    if not record:
        return FIXED.get(name)
    return _ADDRESSES[kind](record, world)


def _registration_name(pk: int, world: World) -> Name | None:
    found = world.registration(pk)
    return found and found.name


def _day_name(pk: int, world: World) -> Name | None:
    return world.days[pk].slug if pk in world.days else None


def _part_name(mark: str, parts: str) -> Callable[[int, World], Name | None]:
    def name(pk: int, world: World) -> Name | None:
        for one in world.registrations.values():
            keys = [part.pk for part in getattr(one, parts)]
            if pk in keys:
                return f"{one.name}{mark}{keys.index(pk) + 1}"
        return None

    return name


def _letter_name(pk: int, world: World) -> Name | None:
    letter = next((each for each in world.letters if each.pk == pk), None)
    if letter is None:
        return None
    others = [each.pk for each in world.letters if each[3:5] == letter[3:5] and each.kind == letter.kind]
    owner = _owner(letter.about_kind, letter.about_id, world)
    return f"{owner}.{letter.kind}.{others.index(pk) + 1}"


def _owner(kind: str, key: str, world: World) -> Name:
    if kind == REGISTRATION:
        return _registration_name(int(key), world) or "?"
    if kind == DAY:
        return _day_name(int(key), world) or "?"
    return f"{kind}:{key}"


def _duty_name(pk: int, world: World) -> Name | None:
    from zhoushan_consult.duties.models import Duty

    duty = Duty.objects.filter(pk=pk).first()
    return f"{duty.kind}@{duty.due_at:%Y%m%d%H%M}" if duty else None


_OF_KEY = {
    "registration": _registration_name,
    "day": _day_name,
    "floor": _day_name,
    "table": _registration_name,
    "letter": _letter_name,
    "duty": _duty_name,
    "work": _part_name("#", "works"),
    "matter": _part_name("!", "matters"),
}


def _registration_address(name: Name, world: World) -> str | None:
    one = world.by_name.get(name)
    return one and f"/admin/appointments/appointment/{one.pk}/change/"


def _table_address(name: Name, world: World) -> str | None:
    one = world.by_name.get(name)
    return one and f"/admin/sessions_app/consultday/{one.day_pk}/floor/{one.pk}/"


def _day_address(last: str) -> Callable[[Name, World], str | None]:
    def of(slug: Name, world: World) -> str | None:
        day = world.day_on(slug)
        return day and f"/admin/sessions_app/consultday/{day.pk}/{last}/"

    return of


def _part_address(mark: str, parts: str, prefix: str) -> Callable[[Name, World], str | None]:
    def of(name: Name, world: World) -> str | None:
        owner, _, number = name.partition(mark)
        one = world.by_name.get(owner)
        rows = getattr(one, parts) if one else []
        return f"{prefix}{rows[int(number) - 1].pk}/" if int(number) <= len(rows) else None

    return of


def _letter_address(name: Name, world: World) -> str | None:
    found = next((each for each in world.letters if _letter_name(each.pk, world) == name), None)
    return found and f"/admin/outbox/notice/{found.pk}/change/"


def _duty_address(name: Name, world: World) -> str | None:
    from zhoushan_consult.duties.models import Duty

    kind, _, due = name.partition("@")
    found = [duty for duty in Duty.objects.filter(kind=kind) if f"{duty.due_at:%Y%m%d%H%M}" == due]
    return f"/admin/duties/duty/{found[0].pk}/change/" if found else None


_ADDRESSES = {
    "registration": _registration_address,
    "day": _day_address("change"),
    "floor": _day_address("floor"),
    "table": _table_address,
    "letter": _letter_address,
    "duty": _duty_address,
    "work": _part_address("#", "works", "/desk/assignments/"),
    "matter": _part_address("!", "matters", "/desk/follow-ups/"),
}
