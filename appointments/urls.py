from django.urls import path, re_path

from .views import answers, lost_reference, progress, receipt, register, sign_on

urlpatterns = [
    path("answers/", answers.index, name="answers"),
    path("answers/<int:number>/", answers.answer, name="answer"),
    path("register/", register.register, name="register"),
    path("register/check/", register.check, name="register_check"),
    path("register/sign-on/", sign_on.leave, name="firm_sign_on"),
    path("register/sign-on/back/", sign_on.back, name="firm_sign_on_back"),
    path("register/sign-on/end/", sign_on.end, name="firm_sign_on_end"),
    path("receipt/<str:token>/", receipt.receipt, name="receipt"),
    path("receipt/<str:token>/form/", receipt.sheet, name="sheet"),
    path("receipt/<str:token>/form.pdf", receipt.sheet_pdf, name="sheet_pdf"),
    path("receipt/<str:token>/calendar.ics", receipt.calendar_entry, name="calendar_entry"),
    path("status/", progress.status, name="status"),
    path("status/amend/", progress.amend, name="amend"),
    path("status/contact/", progress.contact, name="contact"),
    path("status/reference/", lost_reference.lost_reference, name="lost_reference"),
    path("status/supplement/", progress.supplement, name="supplement"),
    path("status/unsolved/", progress.unsolved, name="unsolved"),
    path("status/rate/", progress.rate, name="rate"),
    path("status/form/", progress.sheet, name="status_sheet"),
    path("status/leave/", progress.leave, name="leave"),
    re_path(rf"^status/(?P<verb>{'|'.join(progress.ACTS)})/$", progress.act, name="act"),
]
