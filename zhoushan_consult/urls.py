"""Every address of the service (DESIGN §10). They are stable: letters and other sites link to them."""

from django.contrib import admin
from django.urls import include, path

from .web import draft_pages, elder_mode, errors, health

urlpatterns = [
    path("", include("sessions_app.urls")),
    path("", include("appointments.urls")),
    path("desk/", include("triage.desk.urls")),
    # Before the admin: log-in and one's own password are not left to Django's pages.
    path("admin/", include("zhoushan_consult.login.urls")),
    path("admin/", admin.site.urls),
    path("", include("zhoushan_consult.sign_on.urls")),
    path("elder/", elder_mode.elder, name="elder"),
    path("drafts/", draft_pages.save, name="drafts"),
    path("drafts/<str:key>/", draft_pages.resume, name="draft"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

# Pages of our own that need neither the database nor the body of the request.
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
