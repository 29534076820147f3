"""triage in the admin: the work list, the screen of a registration, the list of ten."""

from . import answers, day, first_page, registration

__all__ = ["answers", "day", "first_page", "registration"]
