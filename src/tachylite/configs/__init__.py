"""Protocols and launchers shipped with the package, and those that a user writes."""

import math
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from tachylite.errors import InputError
from tachylite.schemas.campaign import Launcher
from tachylite.schemas.protocol import Protocol

_SHIPPED = files(__name__) / "protocols"
_LAUNCHERS = ("fireworks", "jobflow-remote")


def protocol_names() -> list[str]:
    """Names of the shipped protocols, in alphabetical order."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _SHIPPED.iterdir() if entry.name.endswith(".yaml"))


def protocol_text(name: str) -> str:
    """YAML of a shipped protocol, with its comments; InputError for another name."""
    if name not in protocol_names():
        raise InputError(_unknown(name))
    return (_SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")


def load_protocol(name_or_path: str | Path) -> Protocol:
    """Load a shipped protocol by name, or one from a YAML file.

    A file without `name` takes the name of the file. Raises InputError, in one line, for a name that is not
    shipped, a file that cannot be read or is not a YAML mapping, and for a key or a value that a protocol
    does not allow.
    """
    source = f"protocol {name_or_path}"
    shipped = str(name_or_path) in protocol_names()
    text = protocol_text(str(name_or_path)) if shipped else _read(Path(name_or_path))
    data = _mapping(text, source, Protocol)
    data.setdefault("name", Path(name_or_path).stem)
    _refuse_infinities(data, source, ())
    protocol = _validated(Protocol, data, source)
    _check_times(protocol, source)
    return protocol


def load_launcher(name_or_path: str | Path) -> Launcher:
    """Load `fireworks` or `jobflow-remote` as shipped, or how to use one of them from a YAML file.

    Raises InputError as `load_protocol` does.
    """
    if str(name_or_path) in _LAUNCHERS:
        text = (files(__name__) / "launchers" / f"{name_or_path}.yaml").read_text(encoding="utf-8")
    else:
        try:
            text = Path(name_or_path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            names = ", ".join(_LAUNCHERS)
            raise InputError(f"launcher {name_or_path}: {reason}; give {names} or a YAML file") from None
    source = f"launcher {name_or_path}"
    return _validated(Launcher, _mapping(text, source, Launcher), source)


def _validated[M: BaseModel](model: type[M], data: dict[str, Any], source: str) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{source}: {_first_problem(error, model)}") from None


def _unknown(name: str) -> str:
    guess = get_close_matches(name, protocol_names(), n=1)
    hint = f"did you mean '{guess[0]}'? " if guess else ""
    return f"no protocol is named '{name}'; {hint}shipped: {', '.join(protocol_names())}; or give a YAML file"


def _read(path: Path) -> str:
    if path.suffix not in {".yaml", ".yml"} and len(path.parts) == 1 and not path.exists():
        raise InputError(_unknown(str(path)))
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        shipped = ", ".join(protocol_names())
        raise InputError(f"protocol file {path} does not exist; shipped protocols: {shipped}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"protocol file {path} cannot be read: {reason}") from None


def _mapping(text: str, source: str, model: type[BaseModel]) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        what = getattr(error, "problem", None) or "it cannot be parsed"
        raise InputError(f"{source} is not valid YAML{line}: {' '.join(str(what).split())}") from None
    if not isinstance(data, dict):
        kind = "empty" if data is None else f"a {type(data).__name__}"
        raise InputError(f"{source} must be a mapping of keys to values, and is {kind}; keys: {_keys(model)}")
    return data


def _refuse_infinities(value: Any, source: str, place: tuple[Any, ...]) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{source}: {_dotted(place)} = {value} must be a finite number")
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        _refuse_infinities(entry, source, (*place, key))


def _first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """Say the most telling problem: a misspelt key also makes the right one missing."""
    problems = error.errors(include_url=False)
    problem = min(problems, key=lambda one: one["type"] != "extra_forbidden")
    place, value = problem["loc"], problem["input"]
    if problem["type"] == "extra_forbidden":
        owner = _model_at(model, place[:-1])
        guess = get_close_matches(str(place[-1]), owner.model_fields, n=1)
        hint = f" did you mean '{guess[0]}'?" if guess else ""
        return f"unknown key '{place[-1]}'{_inside(place)};{hint} allowed: {_keys(owner)}"
    if problem["type"] == "missing":
        return f"'{place[-1]}' is missing{_inside(place)}; keys: {_keys(_model_at(model, place[:-1]))}"
    if problem["type"] in {"model_type", "model_attributes_type"}:
        return f"{_dotted(place)} = {value!r} must be a mapping with the keys {_keys(_model_at(model, place))}"
    rule = problem["msg"].removeprefix("Input should be ")
    rule = f" must be {rule}" if rule != problem["msg"] else f": {rule[0].lower()}{rule[1:]}"
    return f"{_dotted(place)} = {value!r}{rule}"


def _model_at(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    for key in place:
        annotation = model.model_fields[str(key)].annotation
        model = next(kind for kind in (annotation, *get_args(annotation)) if _is_model(kind))
    return model


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _keys(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)


def _inside(place: tuple[int | str, ...]) -> str:
    return f" in {_dotted(place[:-1])}" if len(place) > 1 else ""


def _dotted(place: tuple[int | str, ...]) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return text.removeprefix(".")


def _check_times(protocol: Protocol, source: str) -> None:
    """Refuse what passes key by key and cannot be carried out together."""
    snapshots, available = protocol.snapshots, protocol.melt.production_ps
    if snapshots and snapshots.count * snapshots.interval_ps > available * (1 + 1e-9):
        raise InputError(
            f"{source}: snapshots.count x snapshots.interval_ps = {snapshots.count * snapshots.interval_ps:g} ps"
            f" must fit into melt.production_ps = {available:g} ps"
        )
