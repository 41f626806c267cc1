"""Conditions on any result of a material, from a person: `melt.density_g_cm3.value>2.5`."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

from tachylite.errors import InputError
from tachylite.schemas import Material, Measured
from tachylite.schemas.steps import RESULTS

_CONDITION = re.compile(
    r"\s*(?P<first>[A-Za-z][\w-]*(?:\.\d+K[\w-]*)*)(?P<inside>(?:\.\w+)*)\s*"  # 987.5K is part of a result's name
    r"(?P<sign><=|>=|!=|<|>|=)\s*(?P<value>\S.*?)\s*"
)
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
    first, inside = condition["first"], condition["inside"].split(".")[1:]
    value = _value(condition["value"])
    if condition["sign"] not in {"=", "!="} and isinstance(value, str):
        raise InputError(f"condition {text!r} compares with {value!r}, which is not a number")
    comparison = {_OPERATORS[condition["sign"]]: value}
    if first in Material.model_fields:
        _check([first, *inside], [Material], "a material", text)
        return {f"output.{'.'.join([first, *inside])}": comparison}
    if not inside:
        parts = ", ".join(Material.model_fields)
        raise InputError(f"condition {text!r}: {first!r} is no field of a material ({parts}), nor STEP.FIELD")
    # of any kind, since protocols name their steps as they like
    _check(inside, list(RESULTS.values()), f"step {first!r}", text)
    named = {"$or": [{"step": first}, {"name": first}]}
    return {"output.results": {"$elemMatch": {"$and": [_compare(inside, comparison), named]}}}


def _value(word: str) -> float | str | bool:
    if word in {"true", "false"}:
        return word == "true"
    try:
        return float(word)
    except ValueError:
        return word.strip("'\"")


def _compare(path: Sequence[str], comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Compare a field of a result; where some kinds have a number there and others one with an error, each its way."""
    field = ".".join(path)
    measured = [name for name, kind in RESULTS.items() if Measured in _models_at(path, [kind])]
    if not measured:
        return {field: comparison}
    number = {"kind": {"$nin": measured}, field: comparison}
    return {"$or": [number, {"kind": {"$in": measured}, f"{field}.value": comparison}]}


def _check(path: Sequence[str], models: Sequence[type[BaseModel]], owner: str, text: str) -> None:
    """Whether one of the models has the field; what is inside a mapping or a bare value is not known."""
    for place, name in enumerate(path):
        fields = _fields_of(models)
        if name not in fields:
            guess = get_close_matches(name, fields, n=1)
            hint = f" did you mean {guess[0]!r}?" if guess else ""
            where = ".".join(path[:place]) or owner
            raise InputError(f"condition {text!r}: {where} has no {name!r};{hint} it has {', '.join(fields)}")
        annotations = _annotations(models, name)
        models = [model for annotation in annotations for model in _models_in(annotation)]
        if not models:
            return
    if all(_models_in(annotation) for annotation in annotations):
        raise InputError(f"condition {text!r}: {path[-1]} has parts: {', '.join(_fields_of(models))}")


def _models_at(path: Sequence[str], models: Sequence[type[BaseModel]]) -> list[type[BaseModel]]:
    """Models that stand at the end of a path; none where that is a bare value, or not there."""
    for name in path:
        models = [model for annotation in _annotations(models, name) for model in _models_in(annotation)]
    return list(models)


def _fields_of(models: Sequence[type[BaseModel]]) -> list[str]:
    return list(dict.fromkeys(name for model in models for name in model.model_fields))


def _annotations(models: Sequence[type[BaseModel]], name: str) -> list[Any]:
    return [model.model_fields[name].annotation for model in models if name in model.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that a field may hold, alone, in a list or where there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
