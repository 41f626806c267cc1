"""Options of an engine, from a person: typed, and refused in one line that names what is allowed."""

from dataclasses import fields
from difflib import get_close_matches
from typing import Any, get_type_hints

from pydantic import ConfigDict, ValidationError, create_model

from tachylite.errors import InputError

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


def checked_options(engine: str, kind: type, given: dict[str, Any], *, hidden: str) -> dict[str, Any]:
    """Turn what was given for the fields of a dataclass into their types; numbers may be words.

    A field that is a dataclass itself takes a mapping; the `hidden` one is no option. Raises InputError, naming
    engine and option, for one that is not known or has a value that is not allowed.
    """
    types = get_type_hints(kind, include_extras=True)
    hints = {name: types[name] for name in _names(kind) if name != hidden}
    allowed: dict[str, Any] = {name: (hint, None) for name, hint in hints.items()}
    model = create_model(kind.__name__, __config__=ConfigDict(extra="forbid"), **allowed)
    try:
        checked = model.model_validate(given)
    except ValidationError as error:
        raise InputError(f"engine {engine!r} {_first_problem(error, hints)}") from None
    return {name: getattr(checked, name) for name in given}


def _first_problem(error: ValidationError, hints: dict[str, Any]) -> str:
    problem = error.errors(include_url=False)[0]
    outer, *inner = (str(key) for key in problem["loc"])
    names = _names(hints[outer]) if inner else list(hints)
    name = ".".join([outer, *inner])
    if problem["type"] in _UNKNOWN:
        guess = get_close_matches((inner or [outer])[-1], names, n=1)
        hint = f" did you mean {guess[0]!r}?" if guess else ""
        return f"has no option {name!r};{hint} options are {', '.join(names)}"
    if problem["type"] == "dataclass_type":
        return f"option {name} = {problem['input']!r} must be a mapping of {', '.join(_names(hints[outer]))}"
    return f"option {name} = {problem['input']!r} {problem['msg'].replace('Input should', 'must')}"


def _names(kind: type) -> list[str]:
    return [f.name for f in fields(kind)]
