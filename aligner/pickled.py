"""Small records that go between processes in great numbers."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def by_values(cls: type[T]) -> type[T]:
    """A data class whose instances are pickled as the bare values of their fields.

    Pickled as frozen data classes are by themselves, documents would cost twice what it takes to read them.
    """
    values = attrgetter(*(field.name for field in fields(cls)))  # type: ignore[arg-type]

    def reduced(self: T) -> tuple[Any, ...]:
        return cls, values(self)

    cls.__reduce__ = reduced  # type: ignore[method-assign,assignment]
    return cls
