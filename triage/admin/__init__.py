"""triage in the admin: the work list, the screen of a registration, the list of ten."""

from . import consult_day, published_answers, registration, rulebook, worklists

__all__ = ["consult_day", "published_answers", "registration", "rulebook", "worklists"]
