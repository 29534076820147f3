"""The URLs of the desk. Each page has one, and each button of a page has one below it."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from . import (
    assignment_list,
    assignments,
    follow_ups,
    login,
    overview,
    ratings,
    receptions,
    registrations,
    run_sheet,
)


def one_of(names):
    """A path converter for the given names. Any other word in the URL is a 404, not a KeyError in a view."""
    return type("Name", (StringConverter,), {"regex": "|".join(names)})


register_converter(one_of(assignments.ACTIONS), "reply_action")
register_converter(one_of(follow_ups.ACTIONS), "follow_up_action")

app_name = "desk"
urlpatterns = [
    path("", login.home, name="home"),
    path("login/", login.OfficerLoginView.as_view(), name="login"),
    path("logout/", login.OfficerLogoutView.as_view(), name="logout"),
    path("assignments/", assignment_list.assignments, name="assignments"),
    path("assignments/<int:pk>/", assignments.assignment, name="assignment"),
    path(
        "assignments/<int:pk>/<reply_action:action>/", assignments.assignment_action, name="assignment_action"
    ),
    path("follow-ups/", follow_ups.follow_ups, name="follow_ups"),
    path("follow-ups/<int:pk>/", follow_ups.follow_up, name="follow_up"),
    path(
        "follow-ups/<int:pk>/<follow_up_action:action>/", follow_ups.follow_up_action, name="follow_up_action"
    ),
    path("ratings/", ratings.ratings, name="ratings"),
    path("overview/", overview.overview, name="overview"),
    path("run-sheet/", run_sheet.run_sheet, name="run_sheet"),
    path("receptions/", receptions.receptions, name="receptions"),
    path("receptions/<int:pk>/", receptions.reception, name="reception"),
    path("registrations/", registrations.registrations, name="registrations"),
    path("registrations/<int:pk>/", registrations.registration, name="registration"),
]
