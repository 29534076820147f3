"""triage in the admin: the work list, the screen of a registration, the list of ten."""

from . import answers, day, home, registration, rulebook

__all__ = ["answers", "day", "home", "registration", "rulebook"]
