"""The addresses of the desk. What is looked at has an address, and every button one of its own beneath it."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from . import (
    assignments,
    follow_ups,
    login,
    overview,
    ratings,
    receptions,
    registrations,
    run_sheet,
    worklists,
)


def one_of(steps):
    """A converter for the names of the given steps, so that no other word is an address."""
    return type("Step", (StringConverter,), {"regex": "|".join(steps)})


register_converter(one_of(assignments.STEPS), "reply_step")
register_converter(one_of(follow_ups.STEPS), "matter_step")

app_name = "desk"
urlpatterns = [
    path("", login.home, name="home"),
    path("login/", login.OfficerLoginView.as_view(), name="login"),
    path("logout/", login.SignOut.as_view(), name="logout"),
    path("assignments/", worklists.baskets, name="assignments"),
    path("assignments/<int:pk>/", assignments.assignment, name="assignment"),
    path("assignments/<int:pk>/<reply_step:step>/", assignments.assignment_step, name="assignment_step"),
    path("follow-ups/", follow_ups.follow_ups, name="follow_ups"),
    path("follow-ups/<int:pk>/", follow_ups.follow_up, name="follow_up"),
    path("follow-ups/<int:pk>/<matter_step:step>/", follow_ups.follow_up_step, name="follow_up_step"),
    path("ratings/", ratings.ratings, name="ratings"),
    path("overview/", overview.overview, name="overview"),
    path("run-sheet/", run_sheet.run_sheet, name="run_sheet"),
    path("receptions/", receptions.receptions, name="receptions"),
    path("receptions/<int:pk>/", receptions.reception, name="reception"),
    path("registrations/", registrations.registrations, name="registrations"),
    path("registrations/<int:pk>/", registrations.registration, name="registration"),
]
