"""triage in the admin: the work list, the screen of a registration, the list of ten."""

from . import answers, day, registration, rulebook, worklists

__all__ = ["answers", "day", "registration", "rulebook", "worklists"]
