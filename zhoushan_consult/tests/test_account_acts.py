"""Every act on an account, by one table: who may, the one entry it leaves, the accounts it spares, all or nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau import accounts
from zhoushan_consult.bureau.models import Division, NotAllowed, Officer
from zhoushan_consult.bureau.roles import GRANTS, Act, Role, acts_of
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.tests.evidence import TRAIL, entries, name, refused, rows

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)


@dataclass(frozen=True)
class Case:
    """One act: `do(account, by)`."""

    name: str
    do: Callable
    verb: str
    facts: dict = field(default_factory=dict)

    def __str__(self):
        return self.name


def change(account, by, roles=(Role.HEAD, Role.COORDINATOR), **particulars):
    air = Division.objects.get(name="大气处")
    particulars = {"name": "水新", "division": air, "phone": "13800000009"} | particulars
    accounts.change(account, list(roles), by=by, at=AT, **particulars)


CHANGED = {"roles": ["处室负责人", "综合处经办"], "before": ["处室经办"]}
OPENED = {"roles": ["处室负责人", "综合处经办"]}
CASES = [
    Case("change", change, Verb.ACCOUNT_CHANGED, CHANGED),
    Case(
        "reset_password",
        lambda account, by: accounts.reset_password(account, by=by, at=AT),
        Verb.PASSWORD_RESET,
    ),
    Case(
        "stop", lambda account, by: accounts.set_active(account, False, by=by, at=AT), Verb.ACCOUNT_DISABLED
    ),
    Case("start", lambda account, by: accounts.set_active(account, True, by=by, at=AT), Verb.ACCOUNT_ENABLED),
]


def create_account(by, username="chenxin"):
    return accounts.create_account(
        username, [Role.COORDINATOR, Role.HEAD], by=by, at=AT, name="陈新", phone="13800000008"
    )


every_act = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture
def account(case, handler, other_handler):
    if case.name == "start":
        Officer.objects.update(is_active=False)
        handler.refresh_from_db()
    return handler


@pytest.fixture
def by(officer):
    return officer(Role.SYSTEM, "科监处", name="办事人")


@every_act
def test_act_on_an_account_leaves_one_entry(case, account, by):
    case.do(account, by)
    assert entries() == [(case.verb, name(account), by, AT, "", case.facts)]


@every_act
def test_act_on_an_account_spares_every_other_account(case, account, by):
    before, groups = rows(Officer, but=(account,)), groups_of(account)
    case.do(account, by)
    assert rows(Officer, but=(account,)) == before
    assert groups_of(account) == groups


def groups_of(but: Officer) -> dict:
    others = Officer.objects.exclude(pk=but.pk)
    return {who.pk: sorted(who.groups.values_list("name", flat=True)) for who in others}


@every_act
def test_act_on_an_account_leaves_nothing_without_its_entry(case, account, by):
    before, roles = rows(), set(account.groups.all())
    with refused(TRAIL):
        case.do(account, by)
    assert rows() == before
    assert set(Officer.objects.get(pk=account.pk).groups.all()) == roles


@every_act
def test_act_on_an_account_keeps_what_another_saved_meanwhile(case, account, by):
    Officer.objects.filter(pk=account.pk).update(email="fresh@example.com", username="fresh")
    case.do(account, by)  # as it was read before
    assert Officer.objects.filter(pk=account.pk, email="fresh@example.com", username="fresh").exists()


def test_account_is_not_opened_without_its_entry(by):
    before = rows()
    with refused(TRAIL):
        create_account(by)
    assert rows() == before


@pytest.mark.parametrize("role", list(Role))
@every_act
def test_act_on_an_account_is_refused_to_every_other_role(case, role, account, officer):
    who = officer(role, "水处", area="定海区")
    before = rows()
    if role == Role.SYSTEM:
        case.do(account, who)
        assert rows() != before
        return
    with pytest.raises(NotAllowed):
        case.do(account, who)
    assert rows() == before


@pytest.mark.parametrize("role", list(Role))
def test_account_is_opened_by_no_other_role(role, officer):
    who = officer(role, "水处", area="定海区")
    if role == Role.SYSTEM:
        assert create_account(who)
        return
    before = rows()
    with pytest.raises(NotAllowed):
        create_account(who)
    assert rows() == before


@every_act
def test_own_account_is_left_to_another_keeper(case, by):
    before = rows()
    with pytest.raises(accounts.OwnAccountChange, match="另一位系统管理员"):
        case.do(by, by)
    assert rows() == before


@every_act
def test_account_of_a_superuser_is_changed_by_a_superuser_only(case, account, by):
    Officer.objects.filter(pk=account.pk).update(is_superuser=True)
    account.refresh_from_db()
    before = rows()
    with pytest.raises(accounts.OwnAccountChange):
        case.do(account, by)
    assert rows() == before
    chief = Officer.objects.create_superuser("chief", name="站长", password="Correct-horse-7")
    case.do(account, chief)
    assert rows() != before


def test_opened_account_has_its_particulars_its_roles_and_a_password(by):
    before = rows(Officer)
    made, password = create_account(by)
    made = Officer.objects.get(pk=made.pk)
    assert (made.username, made.name, made.phone, made.is_active) == ("chenxin", "陈新", "13800000008", True)
    assert (made.roles, made.is_staff, made.is_superuser) == ({Role.HEAD, Role.COORDINATOR}, True, False)
    assert made.check_password(password)
    assert entries() == [(Verb.ACCOUNT_OPENED, name(made), by, AT, "", OPENED)]
    assert rows(Officer, but=(made,)) == before


def test_account_under_a_name_that_is_taken_is_not_opened(by, handler):
    before = rows()
    with pytest.raises(accounts.UsernameTaken, match="换一个"):
        create_account(by, handler.username)
    assert rows() == before


@pytest.mark.parametrize("case", CASES[:1], ids=str)
def test_changed_account_has_the_particulars_and_the_roles_alone(case, account, by):
    Officer.objects.filter(pk=account.pk).update(email="kept@example.com")
    change(account, by)
    changed = Officer.objects.get(pk=account.pk)
    assert (changed.name, changed.division.name, changed.phone) == ("水新", "大气处", "13800000009")
    assert (changed.roles, changed.email) == ({Role.HEAD, Role.COORDINATOR}, "kept@example.com")


@pytest.mark.parametrize(
    ("roles", "superuser", "admitted"),
    [
        *[([role], False, role in {Role.COORDINATOR, Role.LEADER, Role.SYSTEM}) for role in Role],
        ([Role.HANDLER, Role.LEADER], False, True),
        ([Role.HANDLER], True, True),
    ],
)
def test_admin_admits_those_who_work_there(handler, roles, superuser, admitted):
    chief = Officer.objects.create_superuser("chief", name="站长", password="Correct-horse-7")
    Officer.objects.filter(pk=handler.pk).update(is_superuser=superuser, is_staff=not admitted)
    handler.refresh_from_db()
    change(handler, chief, roles)
    assert Officer.objects.get(pk=handler.pk).is_staff is admitted


def test_new_password_is_the_officers_and_no_other(handler, other_handler, by):
    password = accounts.reset_password(handler, by=by, at=AT)
    assert [Officer.objects.get(pk=who.pk).check_password(password) for who in (handler, other_handler)] == [
        True,
        False,
    ]
    assert password != accounts.reset_password(handler, by=by, at=AT)


def test_password_has_three_groups_of_four_plain_signs():
    groups = accounts.new_password().split("-")
    assert [len(group) for group in groups] == [4, 4, 4]
    assert set("".join(groups)) <= set(accounts.READABLE_CHARACTERS)


@pytest.mark.parametrize(("active", "verb"), [(False, Verb.ACCOUNT_DISABLED), (True, Verb.ACCOUNT_ENABLED)])
def test_account_is_stopped_and_started(handler, by, active, verb):
    Officer.objects.filter(pk=handler.pk).update(is_active=not active)
    accounts.set_active(handler, active, by=by, at=AT)
    assert Officer.objects.get(pk=handler.pk).is_active is active
    assert [entry[0] for entry in entries()] == [verb]


# --- Who is found, and what they may ---------------------------------------------------------------------------------
def test_officers_of_a_role_are_those_at_work_in_the_division(officer, handler, other_handler, head):
    both = officer([Role.HANDLER, Role.HEAD], "水处", name="两岗")
    officer(Role.HANDLER, "水处", name="离任", is_active=False)
    water = Division.objects.get(name="水处")
    assert set(Officer.objects.with_role(Role.HANDLER)) == {handler, other_handler, both}
    assert set(Officer.objects.with_role(Role.HANDLER, water)) == {handler, both}
    assert set(Officer.objects.with_role(Role.HEAD, water)) == {head, both}


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("role", list(Role))
def test_officer_may_what_the_role_grants(role, act, officer):
    who = officer(role)
    allowed = act in GRANTS[role]
    assert who.may(act) is allowed
    if allowed:
        who.must(act)
    else:
        with pytest.raises(NotAllowed, match=act):
            who.must(act)


def test_officer_who_has_left_may_nothing_and_a_superuser_everything(officer, coordinator):
    chief = Officer.objects.create_superuser("chief", name="站长", password="Correct-horse-7")
    assert all(chief.may(act) for act in Act)
    for who in (coordinator, chief):
        who.is_active = False
        assert not any(who.may(act) for act in Act)


def test_acts_of_several_roles_are_those_of_all_of_them():
    assert acts_of({Role.HANDLER, Role.COUNTY}) == {Act.DRAFT, Act.FOLLOW_UP, Act.READ_AREA}
    assert acts_of({"a group of somebody else"}) == frozenset()
