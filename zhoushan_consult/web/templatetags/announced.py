"""`{% error_prefix %}`: the title of a page that shows an error begins with 错误：, so that it is the first thing heard."""

from django import template
from django.contrib.messages import ERROR
from django.forms import BaseForm

register = template.Library()


@register.simple_tag(takes_context=True)
def error_prefix(context) -> str:
    """「错误：」 if a form of the page has errors, `refusal` says why an act was not done, or a message says so."""
    values = context.flatten()
    failed = bool(values.get("refusal")) or any(
        isinstance(value, BaseForm) and value.is_bound and value.errors for value in values.values()
    )
    # Looking at the messages here does not use them up: the storage keeps them for this response.
    return "错误：" if failed or any(each.level >= ERROR for each in values.get("messages") or ()) else ""
