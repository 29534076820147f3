"""A refusal is an ordinary answer: the sentence that the rule gave, on a page, with the way on."""

from django.shortcuts import render


class Refused(Exception):
    """A rule said no. Its text may be read by the person who asked, and says what to do next."""

    status = 409


class AnswerRefusals:
    """Turns a refusal that no view has caught into a page; views that can say it in place do so."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, Refused):
            return render(request, "errors/refused.html", {"reason": str(exception)}, status=exception.status)
        return None
