"""triage in the admin: work lists, the screen of a registration, 咨询日, 公开答复, 分办规则.

Django imports this package when it looks for admin classes; each module registers its own.
"""

from . import consult_day, published_answers, registration, rulebook, worklists

__all__ = ["consult_day", "published_answers", "registration", "rulebook", "worklists"]
