"""Fields of forms for what people type: nothing is cut, and a text that is too long is refused with its length."""

from collections.abc import Callable

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator


class AtMost(MaxLengthValidator):
    """At most so many characters. The sentence groups the digits of long numbers: 2,134."""

    def __call__(self, value: str) -> None:
        written, limit = self.clean(value), self.limit_value
        if written > limit:
            raise ValidationError(f"已写 {written:,} 字，最多 {limit:,} 字，请精简。", code=self.code)


class MultilineField(forms.CharField):
    """A text of several lines, kept as typed, without blank lines at both ends.

    Browsers send "\\r\\n", which would count two characters a line against the limit. The width fits a phone of 320 px
    before the style sheet is loaded; the default of browsers is wider.
    """

    def __init__(self, *, rows: int = 3, max_length: int, **kwargs):
        attrs = {"rows": rows, "cols": 28, "class": f"rows-{rows}"}
        super().__init__(widget=forms.Textarea(attrs=attrs), **kwargs)
        # Not passed on: CharField would add its own validator, and `maxlength`, with which browsers cut what is pasted.
        self.max_length = max_length
        self.validators.append(AtMost(max_length))

    def to_python(self, value: str | None) -> str:
        return super().to_python(value).replace("\r\n", "\n")


class NormalizedField(forms.CharField):
    """A name, number or address, brought into its one form before anything else looks at it.

    `normalize` takes the typed text and raises ValidationError. Of a blank text it makes "", which an optional field takes.
    """

    def __init__(self, *, normalize: Callable[[str], str], **kwargs):
        super().__init__(**kwargs)
        self.normalize = normalize

    def to_python(self, value: str | None) -> str:
        return self.normalize(super().to_python(value))
