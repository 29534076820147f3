"""triage in the admin: the work list, the screen of a registration, the list of ten."""

from . import day, first_page, registration

__all__ = ["day", "first_page", "registration"]
