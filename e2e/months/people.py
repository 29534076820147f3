"""Who plays: the officers of the bureau, and firms without number. All are synthetic; a firm follows from its number alone."""

import random
from dataclasses import dataclass
from itertools import count

from django.contrib.auth.models import Group

from zhoushan_consult.bureau.models import Area, Division, Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.identity import samples

DIVISIONS = {
    "water": "水处",
    "air": "大气处",
    "soil": "土壤处",
    "science": "科监处",
    "eia": "环评处",
    "office": "办公室",
}
QUESTIONS = [
    "我公司水产加工废水拟接入市政污水管网，请问需要办理哪些手续？",
    "船坞除锈改用超高压水后，冲洗废水含油，能否委托有资质的单位用槽车运走处理？",
    "喷漆房的VOCs总量指标怎么申请？",
    "新上一条修船流水线，环评要做报告书还是报告表？另外，排污许可证要不要重新申请？",
    "海上风电项目环评找哪个处室？",
    "废矿物油桶算不算危险废物，放在车间里要怎么存？",
    "环境信用评价被扣分，怎么修复？还有，总量指标不够能不能买？",
    "自行监测一年要做几次，能不能委托第三方？",
    "企业想申请污染治理的财政补助资金，需要哪些材料？",
    "隔壁厂晚上偷排臭气，我们要投诉。",
    "请问你们几点上班？",
    "锅炉由燃煤改为天然气，要不要重新环评？烟气在线监测能不能拆？",
    "疏浚土倾倒入海需要什么许可？",
    "企业入海排污口整治后怎么销号？",
]
GATEWAY_REFUSES = 0.03


@dataclass(frozen=True)
class Firm:
    """A firm as it fills in the form. `number` is its name in steps: firm 7."""

    number: int
    name: str
    uscc: str
    contact: str
    id_number: str
    phone: str
    email: str
    address: str
    # The gateway refuses its number at once.
    is_dead: bool

    @property
    def who(self) -> str:
        return f"firm {self.number}"

    @property
    def network(self) -> str:
        """Each firm has an address of its own: limits by address are not what is tried here."""
        return f"10.{self.number // 62500 % 250}.{self.number // 250 % 250}.{self.number % 250 + 1}"

    def texts(self) -> dict[str, str]:
        return {
            "enterprise_name": self.name,
            "uscc": self.uscc,
            "contact_name": self.contact,
            "id_number": self.id_number,
            "phone": self.phone,
            "email": self.email,
            "address": self.address,
            "postcode": "316000",
        }


def firm(number: int) -> Firm:
    rng = random.Random(f"firm {number}")
    land_line = rng.random() < 0.12
    mobile = f"138{number:08d}"
    return Firm(
        number,
        f"舟山试玩{number}号{rng.choice(['水产', '船舶修造', '石化', '涂装', '粮油'])}有限公司",
        samples.uscc(rng),
        rng.choice("林陈王张周") + rng.choice(["海生", "阿国", "波", "晓燕"]),
        samples.resident_id(rng),
        f"0580-{2000000 + number}" if land_line else mobile,
        f"firm{number}@example.com" if rng.random() < 0.6 else "",
        f"舟山市定海区海滨路{number}号",
        rng.random() < GATEWAY_REFUSES,
    )


def hire() -> dict[str, Officer]:
    """The bureau: each officer by the name that steps use."""
    numbers = count(1)
    made = {
        "lead": _officer("lead", [Role.COORDINATOR], numbers, "综合处"),
        "clerk": _officer("clerk", [Role.COORDINATOR], numbers, "综合处"),
        "general": _officer("general", [Role.HANDLER], numbers, "综合处"),
        "general-head": _officer("general-head", [Role.HEAD], numbers, "综合处"),
        "leader": _officer("leader", [Role.LEADER], numbers),
        "watch": _officer("watch", [Role.WATCH], numbers, "办公室"),
        "system": _officer("system", [Role.SYSTEM], numbers, "科监处"),
        "county": _officer("county", [Role.COUNTY], numbers, area="定海区"),
    }
    for code, name in DIVISIONS.items():
        made[code] = _officer(code, [Role.HANDLER], numbers, name)
        made[f"{code}-head"] = _officer(f"{code}-head", [Role.HEAD], numbers, name)
    return made


def _officer(name: str, roles: list[Role], numbers, division: str = "", area: str = "") -> Officer:
    number = next(numbers)
    made = Officer(
        username=name,
        name=f"工作{number:02d}",
        division=Division.objects.filter(name=division).first(),
        area=Area.objects.filter(name=area).first(),
        is_staff=True,
        phone=f"139{number:08d}",
        email=f"{name}@bureau.example.com" if number % 3 == 0 else "",
    )
    made.set_unusable_password()
    made.save()
    made.groups.set(Group.objects.filter(name__in=[str(role) for role in roles]))
    return made
