"""A refusal by a rule is an ordinary answer: a page with the sentence of the rule, and the way back."""

from django.shortcuts import render


class Refused(Exception):
    """A rule said no. Its text is shown to the person who asked, and says what to do next."""

    status = 409


class RefusalMiddleware:
    """Shows a refusal that no view has caught as a page. A view that can show it in its form catches it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, Refused):
            return render(request, "errors/refused.html", {"reason": str(exception)}, status=exception.status)
        return None
