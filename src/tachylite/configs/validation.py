"""Checking what a user wrote in a YAML file: one line that names the key, the value and what is allowed."""

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from tachylite.errors import InputError
from tachylite.schemas.steps import SETTINGS
from tachylite.schemas.steps.base import NAME_PATTERN, NAME_RULE

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
    if (place := _infinity_in(data, ())) is not None:
        where, inner = _split_step(place, data)
        raise InputError(f"{source}: {where}{_dotted(inner)} = {_at(data, place)} must be a finite number")
    try:
        return model.model_validate(data, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InputError(f"{source}: {_first_problem(error, model, data)}") from None


def _infinity_in(value: Any, place: Place) -> Place | None:
    """Where the first number is that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return place
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return next((there for key, entry in entries if (there := _infinity_in(entry, (*place, key))) is not None), None)


def _first_problem(error: ValidationError, model: type[BaseModel], data: Mapping[str, Any]) -> str:
    """Say the most telling problem: a misspelt key also makes the right one missing."""
    problems = error.errors(include_url=False)
    problem = min(problems, key=lambda candidate: candidate["type"] != "extra_forbidden")
    place = problem["loc"]
    if place[:1] == ("steps",) and len(place) > 1:
        return _problem_of_step(problem, data)
    return _problem(problem, model, place, data)


def _problem_of_step(problem: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    place = problem["loc"]
    where, _ = _split_step(place, data)
    content = _at(data, place[:2])
    kinds = ", ".join(SETTINGS)
    if not isinstance(content, dict):
        return f"{where.removesuffix(': ')} = {_shown(content)} must be a mapping of keys to values; kinds: {kinds}"
    kind = content.get("kind")
    if kind is None:
        return f"{where}'kind' is missing; kinds: {kinds}"
    if not isinstance(kind, str) or kind not in SETTINGS:
        guess = get_close_matches(str(kind), SETTINGS, n=1)
        hint = f"did you mean {guess[0]!r}? " if guess else ""
        return f"{where}kind = {_shown(kind)} is not known; {hint}kinds: {kinds}"
    # beside the number of the step pydantic names its kind
    return where + _problem(problem, SETTINGS[kind], place[3:], content)


def _problem(problem: Mapping[str, Any], model: type[BaseModel], place: Place, data: Mapping[str, Any]) -> str:
    """Say what is wrong with a value of a model, or with its keys; `place` leads to it in what was written."""
    if problem["type"] == "invalid_key":
        return f"key {place[-1]} is not a word; several values are a list, like [1000, 2000]"
    if problem["type"] == "extra_forbidden":
        owner = _model_at(model, place[:-1])
        hint = f" did you mean '{guess}'?" if (guess := _similar_key(str(place[-1]), owner)) else ""
        return f"unknown key '{place[-1]}'{_inside(place)};{hint} allowed: {_keys(owner)}"
    if problem["type"] == "missing":
        return f"'{place[-1]}' is missing{_inside(place)}; keys: {_keys(_model_at(model, place[:-1]))}"
    if problem["type"] in {"model_type", "model_attributes_type"}:
        keys = _keys(_model_at(model, place))
        return f"{_dotted(place)} = {_shown(problem['input'])} must be a mapping with the keys {keys}"
    if problem["type"] == "value_error":
        reason = str(problem["msg"]).removeprefix("Value error, ")
        return f"{_dotted(place)} = {_shown(problem['input'])} {reason}" if place else reason
    return f"{_dotted(_as_written(place, data))} = {_shown(problem['input'])} must {_rule(problem)}"


def _rule(problem: Mapping[str, Any]) -> str:
    """What a value must be, in words without Python."""
    kind, limits = str(problem["type"]), problem.get("ctx", {})
    if kind == "too_short":
        least = limits["min_length"]
        return f"have at least {least} {'entry' if least == 1 else 'entries'}"
    if kind == "string_too_long":
        return f"have at most {limits['max_length']} characters"
    if kind == "string_pattern_mismatch":
        return NAME_RULE if limits["pattern"] == NAME_PATTERN else f"match the pattern {limits['pattern']}"
    for beginning, rule in _RULES.items():
        if kind.startswith(beginning):
            return rule
    return str(problem["msg"]).removeprefix("Input should ")


_RULES = {
    "float_": "be a number",
    "int_": "be a whole number",
    "bool_": "be true or false",
    "string_": "be text",
    "list_": "be a list",
}
"""By the beginning of pydantic's name of a problem."""


def _split_step(place: Place, data: Mapping[str, Any]) -> tuple[str, Place]:
    """A place inside a step as its number, counted from 1, and its name, and the place inside it."""
    if place[:1] != ("steps",) or len(place) < 2 or not isinstance(place[1], int):
        return "", place
    content = _at(data, place[:2])
    name = content.get("name") or content.get("kind") if isinstance(content, dict) else None
    return f"step {place[1] + 1}{f' ({name})' if isinstance(name, str) else ''}: ", place[2:]


def _as_written(place: Place, data: Mapping[str, Any]) -> Place:
    """Leave out the position in a list where a single value stands for a list of one."""
    before = place[:-1]
    alone = isinstance(place[-1], int) and not isinstance(_at(data, before), list)
    return before if alone else place


def _at(data: Any, place: Place) -> Any:
    """The value at a place; None where there is none."""
    for key in place:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _shown(value: Any) -> str:
    """A value as YAML has it."""
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else repr(value)


def _similar_key(key: str, model: type[BaseModel]) -> str | None:
    """The key that was meant, by its own name or that of the field behind it."""
    names = {name: field.alias or name for name, field in model.model_fields.items()}
    names |= {alias: alias for alias in names.values()}
    guess = get_close_matches(key, names, n=1)
    return names[guess[0]] if guess else None


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel]:
    for key in place:
        annotation = model.model_fields[str(key)].annotation
        model = next(kind for kind in (annotation, *get_args(annotation)) if _is_model(kind))
    return model


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _keys(model: type[BaseModel]) -> str:
    return ", ".join(field.alias or name for name, field in model.model_fields.items())


def _inside(place: Place) -> str:
    return f" in {_dotted(place[:-1])}" if len(place) > 1 else ""


def _dotted(place: Place) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return text.removeprefix(".")
