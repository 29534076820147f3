from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("days/", views.days, name="days"),
    path("days/<str:slug>/", views.day, name="day"),
    *(path(f"{name}/", views.page, {"name": name}, name=name) for name in ("help", "privacy", "sitemap")),
]
