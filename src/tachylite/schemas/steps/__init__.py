"""Kinds of steps: a module for each, with its settings and its result, found by being here."""

from functools import reduce
from importlib import import_module
from operator import or_
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from tachylite.schemas.steps.base import Result, RunResult, Step

_SHARED = {"base", "columns"}

KINDS: tuple[str, ...] = tuple(sorted(module.name for module in iter_modules(__path__) if module.name not in _SHARED))
"""Names of the modules, which are also the values of `kind`."""

for _kind in KINDS:
    import_module(f"{__name__}.{_kind}")

SETTINGS: dict[str, type[Step]] = {kind.model_fields["kind"].default: kind for kind in Step.__subclasses__()}
RESULTS: dict[str, type[Result]] = {
    kind.model_fields["kind"].default: kind
    for kind in (*Result.__subclasses__(), *RunResult.__subclasses__())
    if kind is not RunResult
}


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
