"""Error reports without values: they show where it happened and the names of variables only."""

from types import FrameType

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class RedactingReporterFilter(SafeExceptionReporterFilter):
    """Hides every posted value and every local variable, with DEBUG too: any of them may be personal data."""

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, str]:
        return {} if request is None else dict.fromkeys(request.POST, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType):
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]
