"""The made-up officers of the demonstration: one of each role, and a handler and a head in each division."""

import secrets
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from zhoushan_consult.bureau.models import Area, Division, Officer
from zhoushan_consult.bureau.roles import Role


@dataclass(frozen=True)
class Login:
    """A line of `logins.txt`: who can log in, and as what."""

    username: str
    role: str
    place: str


PEOPLE = [
    ("zonghe", "程安", "general", (Role.COORDINATOR, Role.HANDLER, Role.HEAD)),
    ("shuichu", "江帆", "water", (Role.HANDLER,)),
    ("shuichu2", "江平", "water", (Role.HEAD,)),
    ("daqichu", "风清", "air", (Role.HANDLER,)),
    ("daqichu2", "风和", "air", (Role.HEAD,)),
    ("turangchu", "田野", "soil", (Role.HANDLER,)),
    ("turangchu2", "田丰", "soil", (Role.HEAD,)),
    ("huanpingchu", "章程", "eia", (Role.HANDLER,)),
    ("huanpingchu2", "章明", "eia", (Role.HEAD,)),
    ("kejianchu", "柯研", "science", (Role.HANDLER, Role.HEAD)),
    ("xitong", "石稳", "science", (Role.SYSTEM,)),
    ("bangongshi", "文达", "office", (Role.WATCH, Role.HANDLER, Role.HEAD)),
    ("juling", "高远", None, (Role.LEADER,)),
]
AREA_READER = ("putuofenju", "浦宁", "putuo")


def create_officers() -> tuple[str, list[Login]]:
    """Create the officers. Returns their common password and the list of logins.

    The password is random for each database. A fixed one would open every demonstration that is on the net.
    """
    password = f"haiyan-{secrets.token_hex(4)}"
    # Hashed once: a hash is made to be slow, and there are fourteen officers.
    hashed = make_password(password)
    logins = [_create(hashed, *person) for person in PEOPLE]
    username, name, area = AREA_READER
    place = Area.objects.get(code=area)
    reader = _officer(username, hashed, name=name, area=place)
    reader.groups.set([Group.objects.get(name=Role.COUNTY)])
    return password, [*logins, Login(username, str(Role.COUNTY), "普陀区")]


def _create(hashed: str, username: str, name: str, division: str | None, roles: tuple[Role, ...]) -> Login:
    place = Division.objects.get(code=division) if division else None
    made = _officer(username, hashed, name=name, division=place)
    made.groups.set(Group.objects.filter(name__in=[str(role) for role in roles]))
    return Login(username, "、".join(str(role) for role in roles), place.name if place else "局领导")


def _officer(username: str, hashed: str, **fields) -> Officer:
    """Their password is no first one and has no term: `logins.txt` shall be true as long as the demonstration stands."""
    return Officer.objects.create(
        username=username,
        email=_mail(username),
        password=hashed,
        password_set_at=None,
        is_staff=True,
        **fields,
    )


def _mail(username: str) -> str:
    """With an address, the reminders of the month are written. RFC 2606 reserves the domain: nothing arrives."""
    return f"{username}@example.com"
