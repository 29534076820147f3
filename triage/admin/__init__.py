"""triage in the admin: the work list, the screen of a registration, the list of ten."""

from . import answers, day, first_page, registration, rules

__all__ = ["answers", "day", "first_page", "registration", "rules"]
