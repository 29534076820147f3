"""Who sees which rows (七（二）): every role against every model, with the rows of others as bystanders."""

import pytest

from appointments.lifecycle import Stage
from triage import visibility
from triage.models import AssignmentState
from zhoushan_consult.bureau.models import Area, Division, Officer
from zhoushan_consult.bureau.roles import Role

from .desk import follow_up
from .factories import NOW, appointment, assignment

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(coordinator) -> dict[str, dict]:
    """Registrations of every kind by name, and the 交办 and 督办 of them by the same names."""
    areas = {area.name: area for area in Area.objects.all()}
    firms = {
        name: appointment(number, stage=Stage.ACCEPTED, area=areas.get(area))
        for number, (name, area) in enumerate(FIRMS.items(), 1)
    }
    given = {
        f"{name}:{division}": assignment(firms[name], division, by=coordinator, state=state)
        for name, division, state in GIVEN
    }
    matters = {
        f"{name}:{division}": follow_up(firms[name], division, closed_at=closed_at)
        for name, division, closed_at in MATTERS
    }
    return {"appointments": firms, "assignments": given, "follow_ups": matters}


FIRMS = {
    "open": "定海区",
    "drafted": "普陀区",
    "released": "",
    "returned": "",
    "cancelled": "",
    "moved": "",
    "shared": "普陀区",
    "air": "定海区",
    "followed": "",
    "followed_to_the_end": "普陀区",
    "air_followed": "",
    "new": "定海区",
    "new_elsewhere": "普陀区",
    "new_nowhere": "",
}
"""Registrations by name, and the county of each; "" where the firm named none."""

GIVEN = [
    ("open", "水处", AssignmentState.OPEN),
    ("drafted", "水处", AssignmentState.DRAFTED),
    ("released", "水处", AssignmentState.RELEASED),
    ("returned", "水处", AssignmentState.RETURNED),
    ("cancelled", "水处", AssignmentState.CANCELLED),
    ("moved", "水处", AssignmentState.CANCELLED),
    ("moved", "大气处", AssignmentState.OPEN),
    ("shared", "水处", AssignmentState.OPEN),
    ("shared", "大气处", AssignmentState.RETURNED),
    ("air", "大气处", AssignmentState.OPEN),
    ("air_followed", "大气处", AssignmentState.RELEASED),
]
MATTERS = [
    ("followed", "水处", None),
    ("followed_to_the_end", "水处", NOW),
    ("air_followed", "大气处", None),
]

ALL_GIVEN = {f"{name}:{division}" for name, division, _ in GIVEN}
ALL_MATTERS = {f"{name}:{division}" for name, division, _ in MATTERS}
WATER_GIVEN = {f"{name}:水处" for name in ("open", "drafted", "released", "returned", "shared")}
AIR_GIVEN = {f"{name}:大气处" for name in ("moved", "shared", "air", "air_followed")}
WATER_MATTERS = {"followed:水处", "followed_to_the_end:水处"}
AIR_MATTERS = {"air_followed:大气处"}
WATER = {"open", "drafted", "released", "returned", "shared", "followed", "followed_to_the_end"}
AIR = {"moved", "shared", "air", "air_followed"}
FOLLOWED = {"followed", "followed_to_the_end", "air_followed"}
DINGHAI = {"open", "air", "new"}
PUTUO = {"drafted", "shared", "followed_to_the_end", "new_elsewhere"}
NONE = frozenset()

READERS = {
    "coordinator": ([Role.COORDINATOR], "综合处", "", set(FIRMS), ALL_GIVEN, ALL_MATTERS),
    "leader": ([Role.LEADER], "", "", set(FIRMS), ALL_GIVEN, ALL_MATTERS),
    "handler of 水处": ([Role.HANDLER], "水处", "", WATER, WATER_GIVEN, WATER_MATTERS),
    "head of 水处": ([Role.HEAD], "水处", "", WATER, WATER_GIVEN, WATER_MATTERS),
    "handler of 大气处": ([Role.HANDLER], "大气处", "", AIR, AIR_GIVEN, AIR_MATTERS),
    "handler of 土壤处": ([Role.HANDLER], "土壤处", "", NONE, NONE, NONE),
    "handler of no division": ([Role.HANDLER], "", "", NONE, NONE, NONE),
    "handler with a county": ([Role.HANDLER], "水处", "定海区", WATER, WATER_GIVEN, WATER_MATTERS),
    "watcher": ([Role.WATCH], "办公室", "", FOLLOWED, NONE, ALL_MATTERS),
    "watcher in 水处": ([Role.WATCH], "水处", "", FOLLOWED, NONE, ALL_MATTERS),
    "keeper in 水处": ([Role.SYSTEM], "水处", "定海区", NONE, NONE, NONE),
    "reader of 定海区": ([Role.COUNTY], "", "定海区", DINGHAI, NONE, NONE),
    "reader of 普陀区": ([Role.COUNTY], "水处", "普陀区", PUTUO, NONE, NONE),
    "reader of no county": ([Role.COUNTY], "", "", NONE, NONE, NONE),
    "handler and watcher": (
        [Role.HANDLER, Role.WATCH],
        "大气处",
        "",
        AIR | FOLLOWED,
        AIR_GIVEN,
        ALL_MATTERS,
    ),
    "handler and county reader": (
        [Role.HANDLER, Role.COUNTY],
        "大气处",
        "普陀区",
        AIR | PUTUO,
        AIR_GIVEN,
        AIR_MATTERS,
    ),
    "officer of no role": ([], "水处", "定海区", NONE, NONE, NONE),
}
"""Roles, division and county of an officer; then the registrations, 交办 and 督办 that the officer sees."""


def names_of(queryset, named: dict) -> list[str]:
    """The names of the rows of a queryset; a row that comes twice is named twice."""
    by_key = {row.pk: name for name, row in named.items()}
    return sorted(by_key[row.pk] for row in queryset)


@pytest.mark.parametrize("reader", READERS)
def test_each_role_sees_exactly_its_own_rows(reader, rows, officer):
    roles, division, area, firms, given, matters = READERS[reader]
    who = officer(roles, division or None, area or None)
    seen = {
        "appointments": names_of(visibility.appointments_for(who), rows["appointments"]),
        "assignments": names_of(visibility.assignments_for(who), rows["assignments"]),
        "follow_ups": names_of(visibility.follow_ups_for(who), rows["follow_ups"]),
    }
    assert seen == {
        "appointments": sorted(firms),
        "assignments": sorted(given),
        "follow_ups": sorted(matters),
    }


@pytest.mark.parametrize("roles", [[role] for role in Role] + [[]])
def test_an_officer_who_left_sees_no_row(roles, rows, officer):
    who = officer(roles, "水处", "定海区", is_active=False)
    for readable in (visibility.appointments_for, visibility.assignments_for, visibility.follow_ups_for):
        assert not readable(who).exists()


def test_a_county_sees_its_firms_through_the_desk_and_no_other(rows, county_reader, signed_in):
    browser = signed_in(county_reader)
    seen = {
        name
        for name, firm in rows["appointments"].items()
        if browser.get(f"/desk/registrations/{firm.pk}/").status_code == 200
    }
    assert seen == DINGHAI


def test_a_division_opens_its_own_matters_through_the_desk_and_no_other(rows, handler, signed_in):
    browser = signed_in(handler)
    opened = {
        name
        for kind, path in (("assignments", "assignments"), ("follow_ups", "follow-ups"))
        for name, row in rows[kind].items()
        if browser.get(f"/desk/{path}/{row.pk}/").status_code == 200
    }
    assert opened == WATER_GIVEN | WATER_MATTERS


def test_a_transferred_officer_sees_the_rows_of_the_new_division(rows, handler):
    Officer.objects.filter(pk=handler.pk).update(division=Division.objects.get(name="大气处"))
    moved = Officer.objects.get(pk=handler.pk)
    assert names_of(visibility.assignments_for(moved), rows["assignments"]) == sorted(AIR_GIVEN)
