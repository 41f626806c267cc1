"""Conditions on any result of a material, from a person: `melt.density_g_cm3.value>2.5`."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

from tachylite.errors import InputError
from tachylite.schemas import Material
from tachylite.schemas.steps import RESULTS

_CONDITION = re.compile(r"\s*(?P<path>[A-Za-z][\w-]*(?:\.\w+)*)\s*(?P<sign><=|>=|!=|<|>|=)\s*(?P<value>\S.*?)\s*")
_OPERATORS = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "=": "$eq", "!=": "$ne"}


def parse_condition(text: str) -> dict[str, Any]:
    """Translate `PATH SIGN VALUE` into a MongoDB query on a stored material.

    The path leads through the fields of `Material`, or begins with the name of a step or of one of its results and
    leads through the fields of that. Through a list it holds where it holds for any element. Signs are
    = != < <= > >=. Raises InputError for another form, and for a field that is not there.
    """
    condition = _CONDITION.fullmatch(text)
    if condition is None:
        raise InputError(f"condition {text!r} is not PATH SIGN VALUE, like 'melt.density_g_cm3.value>2.5'")
    first, *inside = condition["path"].split(".")
    value = _value(condition["value"])
    if condition["sign"] not in {"=", "!="} and isinstance(value, str):
        raise InputError(f"condition {text!r} compares with {value!r}, which is not a number")
    comparison = {_OPERATORS[condition["sign"]]: value}
    if first in Material.model_fields:
        _check([first, *inside], Material, "a material", text)
        return {f"output.{condition['path']}": comparison}
    _check_result(first, inside, text)
    named = {"$or": [{"step": first}, {"name": first}]}
    return {"output.results": {"$elemMatch": {**named, ".".join(inside): comparison}}}


def _value(word: str) -> float | str | bool:
    if word in {"true", "false"}:
        return word == "true"
    try:
        return float(word)
    except ValueError:
        return word.strip("'\"")


def _check_result(step: str, path: Sequence[str], text: str) -> None:
    """Whether a result of any kind has the field, since protocols name their steps as they like."""
    if not path:
        parts = ", ".join(Material.model_fields)
        raise InputError(f"condition {text!r}: {step!r} is no field of a material ({parts}), nor STEP.FIELD")
    problems: dict[int, InputError] = {}
    for kind in RESULTS.values():
        try:
            _check(path, kind, step, text)
        except InputError as error:
            depth = len(path) - len([name for name in path if name in kind.model_fields])
            problems[depth] = error
        else:
            return
    if path[0] not in (fields := _fields_of_all(RESULTS)):
        guess = get_close_matches(path[0], fields, n=1)
        hint = f" did you mean {guess[0]!r}?" if guess else ""
        raise InputError(f"condition {text!r}: no step has {path[0]!r};{hint} there are {', '.join(fields)}")
    raise problems[min(problems)]


def _fields_of_all(kinds: Mapping[str, type[BaseModel]]) -> list[str]:
    return list(dict.fromkeys(name for kind in kinds.values() for name in kind.model_fields))


def _check(path: Sequence[str], model: type[BaseModel] | None, owner: str, text: str) -> None:
    for place, name in enumerate(path):
        if model is None:  # inside a mapping or a bare value: whatever is there
            return
        if name not in model.model_fields:
            guess = get_close_matches(name, model.model_fields, n=1)
            hint = f" did you mean {guess[0]!r}?" if guess else ""
            where = ".".join(path[:place]) or owner
            raise InputError(
                f"condition {text!r}: {where} has no {name!r};{hint} it has {', '.join(model.model_fields)}"
            )
        model = _model_in(model.model_fields[name].annotation)
    if model is not None:
        raise InputError(f"condition {text!r}: {path[-1]} has parts: {', '.join(model.model_fields)}")


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, alone, in a list or where there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)
