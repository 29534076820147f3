"""The model field of a sealed column."""

from typing import Any

from django.core import checks
from django.core.exceptions import FieldError, ValidationError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from . import cipher
from .sealed import Sealed


class SealingAttribute(DeferredAttribute):
    """Seals a text when it is assigned, so that an instance never holds clear text, not even before it is saved."""

    field: "SealedField"

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_sealed(value)


class SealedField(models.TextField):
    """A text that is stored as an envelope and loaded as `Sealed`. Assign a str, read it with `.open()`.

    The only lookup is isnull; for equality, add a column with the blind index. The field is in no form, and lists and
    pages show a placeholder. `column_name` is the name to which the envelopes are bound ("app_label.model.field"). If
    you rename the model or the field, pass the old name, or the existing envelopes no longer open.
    """

    descriptor_class = SealingAttribute

    def __init__(self, *args: Any, column_name: str = "", **kwargs: Any):
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)
        self._column_name = column_name

    @property
    def column_name(self) -> str:
        """The name to which the envelopes of this column are bound."""
        return self._column_name or f"{self.model._meta.label_lower}.{self.name}"

    def to_sealed(self, value: Sealed | str | None) -> Sealed | None:
        """`value` sealed for this column. Raises TypeError for a Sealed of another column: open that one first."""
        if isinstance(value, str):
            return Sealed.from_text(value, self.column_name)
        if value is None or (isinstance(value, Sealed) and value.column == self.column_name):
            return value
        raise TypeError(
            f"{self.column_name} takes a str, None or a Sealed of its own, not {type(value).__name__}"
        )

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        if self._column_name:
            kwargs["column_name"] = self._column_name
        return name, path, args, kwargs

    def check(self, **kwargs: Any):
        return [*super().check(**kwargs), *self._check_not_indexed()]

    def from_db_value(self, value: str | None, expression, connection) -> Sealed | None:
        return value if value is None else Sealed(value, self.column_name)

    def get_prep_value(self, value: Sealed | str | None) -> str | None:
        sealed = self.to_sealed(value)
        return sealed if sealed is None else sealed.envelope

    def value_to_string(self, obj: models.Model) -> str:
        """The envelope: a dump (dumpdata) must not contain clear text either."""
        return self.value_from_object(obj).envelope

    def to_python(self, value: Sealed | str | None) -> Sealed | None:
        """A str comes from a dump and is an envelope already. Raises ValidationError if it is not."""
        if isinstance(value, str):
            if value and not cipher.is_envelope(value):
                raise ValidationError("不是封存的格式。", code="invalid")
            return Sealed(value, self.column_name)
        return value

    def get_lookup(self, lookup_name: str):
        if lookup_name != "isnull":
            raise FieldError(
                f"{self.column_name} is sealed: look it up by its blind index, not by {lookup_name!r}."
            )
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str):
        raise FieldError(f"{self.column_name} is sealed: nothing can be taken from it in SQL.")

    def _check_not_indexed(self) -> list[checks.CheckMessage]:
        if not (self.unique or self.db_index):  # type: ignore[attr-defined]
            return []
        hint = "给它旁边的盲索引列加唯一约束或索引。"
        return [
            checks.Error(
                "封存的列每次密文都不同，唯一约束和索引没有意义。", hint=hint, obj=self, id="vault.E007"
            )
        ]
