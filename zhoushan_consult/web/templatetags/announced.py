"""`{% error_prefix %}`: the title of a page that shows an error begins with 错误：, so that it is the first thing heard."""

from django import template
from django.contrib.messages import ERROR
from django.forms import BaseForm

register = template.Library()


@register.simple_tag(takes_context=True)
def error_prefix(context) -> str:
    """「错误：」 if a form of the page has errors, an act was refused, or a message says so.

    A form is found in the context by itself; a page with a list of forms sets `has_errors`. `refusal` and `attempt` say why
    an act was not done.
    """
    values = context.flatten()
    # By type(), because isinstance() would evaluate lazy values: the user costs a query, the CSRF token sets a cookie.
    shown = [value for value in values.values() if issubclass(type(value), BaseForm)]
    refused = any(values.get(name) for name in ("refusal", "attempt", "has_errors"))
    failed = refused or any(form.is_bound and form.errors for form in shown)
    # Looking at the messages here does not use them up: the storage keeps them for this response.
    return "错误：" if failed or any(each.level >= ERROR for each in values.get("messages") or ()) else ""
