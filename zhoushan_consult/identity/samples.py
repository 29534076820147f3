"""Synthetic people and firms with valid check digits, for the demonstration month and for tests.

Every number shows what it is: ID numbers end in a sequence of 98x, codes carry DEM0 where real ones carry MA.., and
mobiles begin with 1380000. The same `random.Random` gives the same numbers.
"""

import random
from datetime import date, timedelta

from stdnum.iso7064 import mod_11_2

from .uscc import ALPHABET, check_digit, organisation_digit

ZHOUSHAN = ("330902", "330903", "330921", "330922")  # 定海 普陀 岱山 嵊泗


def resident_id(rng: random.Random, *, region: str = "", born: date | None = None) -> str:
    """A resident ID number of somebody who was never born, by default in Zhoushan between 1960 and 2000."""
    born = born or date(1960, 1, 1) + timedelta(days=rng.randrange(40 * 365))
    head = f"{region or rng.choice(ZHOUSHAN)}{born:%Y%m%d}98{rng.randrange(10)}"
    return head + mod_11_2.calc_check_digit(head)


def uscc(rng: random.Random, *, head: str = "91", region: str = "") -> str:
    """A credit code of a firm that does not exist, by default an enterprise (91) registered in Zhoushan."""
    body = "DEM0" + "".join(rng.choices(ALPHABET, k=4))
    code = head + (region or rng.choice(ZHOUSHAN)) + body + organisation_digit(body)
    return code + check_digit(code)


def mobile(rng: random.Random) -> str:
    """A canonical mobile number that is plainly made up: +861380000 and four digits."""
    return f"+861380000{rng.randrange(10_000):04}"


def land_line(rng: random.Random, *, extension: str = "") -> str:
    """A canonical Zhoushan land line, plainly made up: +865802000 and three digits."""
    return f"+865802000{rng.randrange(1000):03}" + (f";ext={extension}" if extension else "")
