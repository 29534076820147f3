"""The wsgi entry point of the service."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhoushan_consult.settings")

application = get_wsgi_application()
