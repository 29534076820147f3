from django.urls import path

from . import views

urlpatterns = [path("sign-on/trial/", views.trial, name="sign_on_trial")]
