"""`{% password_term %}`: a reminder on the first pages, some days before the reader's password is too old."""

from django import template
from django.utils import timezone

from zhoushan_consult.bureau import passwords

register = template.Library()


@register.inclusion_tag("login/password_term.html", takes_context=True)
def password_term(context) -> dict:
    officer = context["user"]
    if not officer.is_authenticated:
        return {}
    return {"left": passwords.days_left(officer, timezone.now()), "on": passwords.expires_on(officer)}
