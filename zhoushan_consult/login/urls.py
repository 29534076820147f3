"""The addresses below /admin/ that every officer needs, also those who do not work in the admin."""

from django.urls import path

from . import views

urlpatterns = [
    path("login/", views.AdminLoginView.as_view(), name="staff_login"),
    path("sign-on/", views.sign_on, name="staff_sign_on"),
    path("sign-on/back/", views.signed_on, name="staff_sign_on_back"),
    path("account/", views.own_account, name="own_account"),
    path("account/codes/", views.recovery_codes, name="recovery_codes"),
    path("password_change/", views.own_password, name="own_password"),
    path("second-factor/", views.second_factor_code, name="second_factor_code"),
    path("second-factor/bind/", views.second_factor_bind, name="second_factor_bind"),
]
