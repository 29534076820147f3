"""Synthetic people and firms with valid check digits, for the demonstration month and for tests.

Every number can be recognised as synthetic: the sequence of an ID number is 98x, a code has DEM0 where real ones have
MA.., and a mobile number begins with 1380000. The same `random.Random` gives the same numbers.
"""

import random
from datetime import date, timedelta

from stdnum.iso7064 import mod_11_2

from .uscc import ALPHABET, check_digit, organisation_digit

ZHOUSHAN = ("330902", "330903", "330921", "330922")  # 定海 普陀 岱山 嵊泗


def resident_id(rng: random.Random, *, region: str = "", born: date | None = None) -> str:
    """The ID number of a person who does not exist, by default born in Zhoushan between 1960 and 2000."""
    born = born or date(1960, 1, 1) + timedelta(days=rng.randrange(40 * 365))
    head = f"{region or rng.choice(ZHOUSHAN)}{born:%Y%m%d}98{rng.randrange(10)}"
    return head + mod_11_2.calc_check_digit(head)


def uscc(rng: random.Random, *, head: str = "91", region: str = "") -> str:
    """The credit code of a firm that does not exist, by default an enterprise (91) registered in Zhoushan."""
    body = "DEM0" + "".join(rng.choices(ALPHABET, k=4))
    code = head + (region or rng.choice(ZHOUSHAN)) + body + organisation_digit(body)
    return code + check_digit(code)


def mobile(rng: random.Random) -> str:
    """A synthetic mobile number in canonical form: +861380000 and four digits."""
    return f"+861380000{rng.randrange(10_000):04}"


def land_line(rng: random.Random, *, extension: str = "") -> str:
    """A synthetic land line of Zhoushan in canonical form: +865802000 and three digits."""
    return f"+865802000{rng.randrange(1000):03}" + (f";ext={extension}" if extension else "")
