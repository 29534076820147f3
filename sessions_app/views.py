"""The portal: the plan of this month, the 咨询日 that a registration made now joins, and how it works (六（一）（二）)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from . import calendar, policy
from .days import first_not_cancelled, joining_date
from .models import ConsultDay, Plan

# A draft is for officers only. A cancelled day stays: a firm that has noted the date must read that it does not happen.
SHOWN = (Plan.PUBLISHED, Plan.CANCELLED)
# Two years of monthly plans. No page of the portal asks for older ones.
DAYS_SHOWN = 24


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """This month's plan, the plans after it, and how long one can still register."""
    now = timezone.now()
    joins = joining_date(now)
    current = calendar.current_day(now)
    shown = {day.date: day for day in ConsultDay.objects.filter(plan__in=SHOWN, date__gte=current)}
    context = {
        "plan": shown.pop(current, None),
        "current": current,
        "instead": first_not_cancelled(current),
        "upcoming": list(shown.values()),
        "joins": joins,
        "days_left": calendar.days_left(now, joins),
        "closes_on": calendar.last_booking_date(joins),
        "seats": policy.SEATS,
    }
    return render(request, "portal/home.html", context)


@require_safe
def days(request: HttpRequest) -> HttpResponse:
    """The list of plans, the newest first."""
    published = ConsultDay.objects.filter(plan__in=SHOWN).order_by("-date")[:DAYS_SHOWN]
    return render(request, "portal/days.html", {"days": published})


@require_safe
def day(request: HttpRequest, slug: str) -> HttpResponse:
    """One plan. 404 for a month without one, and for a draft."""
    date = calendar.parse_slug(slug)
    if date is None:
        raise Http404
    plan = get_object_or_404(ConsultDay, date=date, plan__in=SHOWN)
    context = {
        "plan": plan,
        # A person who cannot come is not announced.
        "receptions": plan.receptions.filter(declined=""),
        "changes": plan.changes.all(),
        "instead": first_not_cancelled(plan.date),
        "joins": joining_date(timezone.now()),
    }
    return render(request, "portal/day.html", context)


@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """A page of plain text: 帮助, 个人信息处理告知, 网站地图."""
    return render(request, f"portal/{name}.html")
