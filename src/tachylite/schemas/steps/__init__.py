"""Kinds of steps: a module for each, with its settings and its result, found by being here."""

from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from operator import or_
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from tachylite.schemas.steps.base import Result, Step

_SHARED = {"base", "columns", "ions"}

KINDS: tuple[str, ...] = tuple(sorted(module.name for module in iter_modules(__path__) if module.name not in _SHARED))
"""Names of the modules, which are also the values of `kind`."""

for _kind in KINDS:
    import_module(f"{__name__}.{_kind}")


def _of_kinds[Base: Step | Result](base: type[Base]) -> dict[str, type[Base]]:
    """Subclasses of a base by their kind; a base that several kinds share has none."""
    kinds = {kind.model_fields["kind"].default: kind for kind in _subclasses(base)}
    return {name: kinds[name] for name in KINDS}


def _subclasses[Base](base: type[Base]) -> Iterator[type[Base]]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


SETTINGS = _of_kinds(Step)
RESULTS = _of_kinds(Result)


def _any_of(kinds: dict[str, Any]) -> Any:
    """A union that pydantic tells apart by `kind`."""
    return Annotated[reduce(or_, kinds.values()), Field(discriminator="kind")]


if TYPE_CHECKING:
    type AnyStep = Step
    type AnyResult = Result
else:
    AnyStep = _any_of(SETTINGS)
    AnyResult = _any_of(RESULTS)

__all__ = ["KINDS", "RESULTS", "SETTINGS", "AnyResult", "AnyStep", "Result", "Step"]
