"""Two persons for each reply (六（四）): who signs did not draft. Where a division has one person only, the reply says so."""

from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from .models import Reply

ALONE = "本处室当时没有第二位能拟稿或审签的同志，由{name}一人拟写并审签。"
"""In the record of a reply, in the trail and in the admin. The firm does not read it."""


class NeedsSecondPerson(Refused):
    """The drafter wants to sign, and there is a colleague who could do one of the two."""

    def __init__(self, division: Division, drafter: Officer):
        super().__init__(f"这一稿是您拟写的，要由另一位同志审签。{_way_to_sign(division, drafter)}")


class NoSigner(Refused):
    """A draft would go up to no signer: no other officer may sign it."""

    def __init__(self, division: Division, drafter: Officer):
        super().__init__(f"{way_to_submit(division, drafter)}填写的内容都在。")


def signers(division: Division, drafter: Officer) -> list[Officer]:
    """Who may sign what `drafter` wrote: the others who may sign; the drafter only where no other works on replies."""
    may_sign = list(Officer.objects.who_may(Act.SIGN, division))
    others = [officer for officer in may_sign if officer != drafter]
    return others or ([] if _colleagues(division, drafter) else may_sign)


def note_of_signature(reply: Reply, by: Officer) -> str:
    """What the record says of a signature by the drafter; "" for two persons. Raises NeedsSecondPerson."""
    if reply.drafted_by_id != by.pk:
        return ""
    if _colleagues(reply.assignment.division, by):
        raise NeedsSecondPerson(reply.assignment.division, by)
    return ALONE.format(name=by.name)


def way_to_submit(division: Division, drafter: Officer) -> str:
    """What to do where no signer can be found for what `drafter` writes."""
    colleagues = _colleagues(division, drafter)
    if colleagues and drafter in Officer.objects.who_may(Act.SIGN, division):
        return f"您拟写的稿子要由另一位同志核对：请先保存，由{_names(colleagues)}送审签，您再审签。"
    return f"{division.name}还没有能审签的负责人账号。请先保存，联系科监处开通后再送审签。"


def _way_to_sign(division: Division, drafter: Officer) -> str:
    if others := signers(division, drafter):
        return f"请由{_names(others)}审签。"
    return f"请退回修改，由{_names(_colleagues(division, drafter))}核对后送审签，您再审签。"


def _colleagues(division: Division, officer: Officer) -> list[Officer]:
    """The others of the division who may draft or sign."""
    return list(Officer.objects.who_may(Act.DRAFT, division).exclude(pk=officer.pk))


def _names(officers: list[Officer]) -> str:
    return "或".join(officer.name for officer in officers)
