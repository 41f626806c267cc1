"""Checking what a user wrote in a YAML file: one line that names the key, the value and what is allowed."""

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from tachylite.errors import InputError
from tachylite.schemas.steps import SETTINGS

type Place = tuple[int | str, ...]
"""Keys and positions that lead to a value."""


def parse_mapping(text: str, source: str, model: type[BaseModel]) -> dict[str, Any]:
    """Read YAML text as a mapping; InputError, with the keys of `model`, for anything else."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise InputError(f"{source} is not valid YAML{line}: {' '.join(str(problem).split())}") from None
    if not isinstance(data, dict):
        kind = "empty" if data is None else f"a {type(data).__name__}"
        raise InputError(f"{source} must be a mapping of keys to values, and is {kind}; keys: {_keys(model)}")
    return data


def validate[M: BaseModel](model: type[M], data: dict[str, Any], source: str) -> M:
    """Build a model; InputError, in one line that begins with `source`, for the most telling problem."""
    _refuse_infinities(data, source, ())
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{source}: {_first_problem(error, model, data)}") from None


def _refuse_infinities(value: Any, source: str, place: Place) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{source}: {_dotted(place)} = {value} must be a finite number")
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        _refuse_infinities(entry, source, (*place, key))


def _first_problem(error: ValidationError, model: type[BaseModel], data: Mapping[str, Any]) -> str:
    """Say the most telling problem: a misspelt key also makes the right one missing."""
    problems = error.errors(include_url=False)
    problem = min(problems, key=lambda candidate: candidate["type"] != "extra_forbidden")
    place = problem["loc"]
    if place[:1] == ("steps",) and len(place) > 1:
        return _problem_of_step(problem, data)
    return _problem(problem, model, place)


def _problem_of_step(problem: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Name the step by its number, counted from 1, and its name."""
    _, number, *inside = problem["loc"]
    content = data["steps"][number] if isinstance(number, int) else None
    name = f" ({content['name']})" if isinstance(content, dict) and content.get("name") else ""
    where = f"step {int(number) + 1}{name}"
    kinds = ", ".join(SETTINGS)
    if problem["type"] == "union_tag_not_found":
        if not isinstance(content, dict):
            return f"{where} = {content!r} must be a mapping with a key 'kind': {kinds}"
        return f"{where}: 'kind' is missing; kinds: {kinds}"
    if problem["type"] == "union_tag_invalid":
        kind = str(problem["ctx"]["tag"])
        guess = get_close_matches(kind, SETTINGS, n=1)
        hint = f"did you mean {guess[0]!r}? " if guess else ""
        return f"{where}: kind = {kind!r} is not known; {hint}kinds: {kinds}"
    kind, *place = inside
    return f"{where}: {_problem(problem, SETTINGS[str(kind)], tuple(place))}"


def _problem(problem: Mapping[str, Any], model: type[BaseModel], place: Place) -> str:
    value = problem["input"]
    if problem["type"] == "extra_forbidden":
        owner = _model_at(model, place[:-1])
        guess = get_close_matches(str(place[-1]), _names(owner), n=1)
        hint = f" did you mean '{guess[0]}'?" if guess else ""
        return f"unknown key '{place[-1]}'{_inside(place)};{hint} allowed: {_keys(owner)}"
    if problem["type"] == "missing":
        return f"'{place[-1]}' is missing{_inside(place)}; keys: {_keys(_model_at(model, place[:-1]))}"
    if problem["type"] in {"model_type", "model_attributes_type"}:
        return f"{_dotted(place)} = {value!r} must be a mapping with the keys {_keys(_model_at(model, place))}"
    if problem["type"] == "value_error":
        return str(problem["msg"]).removeprefix("Value error, ")
    rule = str(problem["msg"]).removeprefix("Input should be ")
    rule = f" must be {rule}" if rule != problem["msg"] else f": {rule[0].lower()}{rule[1:]}"
    return f"{_dotted(place)} = {value!r}{rule}"


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel]:
    for key in place:
        annotation = model.model_fields[str(key)].annotation
        model = next(kind for kind in (annotation, *get_args(annotation)) if _is_model(kind))
    return model


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _keys(model: type[BaseModel]) -> str:
    return ", ".join(_names(model))


def _inside(place: Place) -> str:
    return f" in {_dotted(place[:-1])}" if len(place) > 1 else ""


def _dotted(place: Place) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return text.removeprefix(".")
