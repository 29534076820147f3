"""The model field of a sealed column."""

from typing import Any

from django.core import checks
from django.core.exceptions import FieldError, ValidationError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from . import cipher
from .sealed import Sealed


class SealingAttribute(DeferredAttribute):
    """A text is sealed as it is assigned, so that an instance never holds it in clear, saved or not."""

    field: "SealedField"

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.sealed(value)


class SealedField(models.TextField):
    """A text that is stored as an envelope and loaded as `Sealed`; assign a str, read with `.open()`.

    It can be searched for isnull only: equality wants a blind index beside it. It is in no form, and every list and
    page shows a placeholder. `place` pins the name that its envelopes are bound to ("app_label.model.field"); give it
    the old name when the model or the field is renamed.
    """

    descriptor_class = SealingAttribute

    def __init__(self, *args: Any, place: str = "", **kwargs: Any):
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)
        self._place = place

    @property
    def place(self) -> str:
        """What the envelopes of this column are bound to."""
        return self._place or f"{self.model._meta.label_lower}.{self.name}"

    def sealed(self, value: Sealed | str | None) -> Sealed | None:
        """`value` as this column holds it. Raises TypeError for a Sealed of another column: open that first."""
        if isinstance(value, str):
            return Sealed.around(value, self.place)
        if value is None or (isinstance(value, Sealed) and value.place == self.place):
            return value
        raise TypeError(f"{self.place} takes a str, None or a Sealed of its own, not {type(value).__name__}")

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        if self._place:
            kwargs["place"] = self._place
        return name, path, args, kwargs

    def check(self, **kwargs: Any):
        return [*super().check(**kwargs), *self._check_not_indexed()]

    def from_db_value(self, value: str | None, expression, connection) -> Sealed | None:
        return value if value is None else Sealed(value, self.place)

    def get_prep_value(self, value: Sealed | str | None) -> str | None:
        held = self.sealed(value)
        return held if held is None else held.envelope

    def value_to_string(self, obj: models.Model) -> str:
        """The envelope: a dump of the database is as sealed as the database."""
        return self.value_from_object(obj).envelope

    def to_python(self, value: Sealed | str | None) -> Sealed | None:
        """What a dump holds, a str, is an envelope already. Raises ValidationError for anything else."""
        if isinstance(value, str):
            if value and not cipher.is_envelope(value):
                raise ValidationError("不是封存的格式。", code="invalid")
            return Sealed(value, self.place)
        return value

    def get_lookup(self, lookup_name: str):
        if lookup_name != "isnull":
            raise FieldError(
                f"{self.place} is sealed: look it up by its blind index, not by {lookup_name!r}."
            )
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str):
        raise FieldError(f"{self.place} is sealed: nothing can be taken from it in SQL.")

    def _check_not_indexed(self) -> list[checks.CheckMessage]:
        if not (self.unique or self.db_index):  # type: ignore[attr-defined]
            return []
        hint = "给它旁边的盲索引列加唯一约束或索引。"
        return [
            checks.Error(
                "封存的列每次密文都不同，唯一约束和索引没有意义。", hint=hint, obj=self, id="vault.E007"
            )
        ]
