"""Conditions on any result of a material, from a person: `melt.density_g_cm3.value>2.5`."""

import re
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

from tachylite.errors import InputError
from tachylite.schemas import Material

_CONDITION = re.compile(r"\s*(?P<path>[A-Za-z]\w*(?:\.\w+)*)\s*(?P<sign><=|>=|!=|<|>|=)\s*(?P<value>\S.*?)\s*")
_OPERATORS = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "=": "$eq", "!=": "$ne"}


def parse_condition(text: str) -> dict[str, Any]:
    """Translate `PATH SIGN VALUE` into a MongoDB query on a stored material.

    The path leads through the fields of `Material`; through a list it holds where it holds for any element. Signs
    are = != < <= > >=. Raises InputError for another form, and for a field that a material does not have.
    """
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise InputError(f"condition {text!r} is not PATH SIGN VALUE, like 'melt.density_g_cm3.value>2.5'")
    path, sign = found["path"], found["sign"]
    _check(path.split("."), text)
    value = _value(found["value"])
    if sign not in {"=", "!="} and isinstance(value, str):
        raise InputError(f"condition {text!r} compares with {value!r}, which is not a number")
    return {f"output.{path}": {_OPERATORS[sign]: value}}


def _value(word: str) -> float | str | bool:
    if word in {"true", "false"}:
        return word == "true"
    try:
        return float(word)
    except ValueError:
        return word.strip("'\"")


def _check(path: list[str], text: str) -> None:
    model: type[BaseModel] | None = Material
    for place, name in enumerate(path):
        if model is None:  # inside a mapping or a bare value: whatever is there
            return
        if name not in model.model_fields:
            guess = get_close_matches(name, model.model_fields, n=1)
            hint = f" did you mean {guess[0]!r}?" if guess else ""
            where = ".".join(path[:place]) or "a material"
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
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)
