"""`{% error_prefix %}`: the title of a page that shows an error begins with 错误：, so that it is the first thing heard."""

from django import template
from django.contrib.messages import ERROR
from django.forms import BaseForm

register = template.Library()


@register.simple_tag(takes_context=True)
def error_prefix(context) -> str:
    """「错误：」 if a form of the page has errors, an act was refused (`refusal`, `attempt`), or a message says so."""
    values = context.flatten()
    # By type(), because isinstance() would evaluate lazy values: the user costs a query, the CSRF token sets a cookie.
    shown = [value for value in values.values() if issubclass(type(value), BaseForm)]
    failed = (
        values.get("refusal") or values.get("attempt") or any(each.is_bound and each.errors for each in shown)
    )
    # Looking at the messages here does not use them up: the storage keeps them for this response.
    return "错误：" if failed or any(each.level >= ERROR for each in values.get("messages") or ()) else ""
