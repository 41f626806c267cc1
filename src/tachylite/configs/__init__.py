"""Protocols and launchers shipped with the package, and those that a user writes."""

from difflib import get_close_matches
from pathlib import Path

from tachylite.configs.shipped import shipped_folder
from tachylite.configs.validation import parse_mapping, validate
from tachylite.errors import InputError
from tachylite.schemas.campaign import Launcher
from tachylite.schemas.protocol import Protocol

__all__ = ["load_launcher", "load_protocol", "protocol_names"]

_LAUNCHERS = ("fireworks", "jobflow-remote")
_FORMER_STAGES = ("volume_search", "melt", "anneal", "quench", "snapshots")


def protocol_names() -> list[str]:
    """Names of the shipped protocols, in alphabetical order."""
    entries = shipped_folder("protocols").iterdir()
    return sorted(entry.name.removesuffix(".yaml") for entry in entries if entry.name.endswith(".yaml"))


def protocol_text(name: str) -> str:
    """YAML of a shipped protocol, with its comments; InputError for another name."""
    if name not in protocol_names():
        raise InputError(_unknown(name))
    return (shipped_folder("protocols") / f"{name}.yaml").read_text(encoding="utf-8")


def load_protocol(name_or_path: str | Path) -> Protocol:
    """Load a shipped protocol by name, or one from a YAML file.

    A file without `name` takes the name of the file. Raises InputError, in one line, for a name that is not
    shipped, a file that cannot be read or is not a YAML mapping, and for a key or a value that a protocol
    does not allow.
    """
    source = f"protocol {name_or_path}"
    shipped = str(name_or_path) in protocol_names()
    text = protocol_text(str(name_or_path)) if shipped else _read(Path(name_or_path))
    data = parse_mapping(text, source, Protocol)
    if stages := [stage for stage in _FORMER_STAGES if stage in data]:
        raise InputError(
            f"{source} has a key '{stages[0]}', of an earlier version: a protocol is a list of 'steps' now, like that "
            "of `tachylite protocols zheng2024`"
        )
    data.setdefault("name", Path(name_or_path).stem)
    return validate(Protocol, data, source)


def load_launcher(name_or_path: str | Path) -> Launcher:
    """Load `fireworks` or `jobflow-remote` as shipped, or how to use one of them from a YAML file.

    Raises InputError as `load_protocol` does.
    """
    if str(name_or_path) in _LAUNCHERS:
        text = (shipped_folder("launchers") / f"{name_or_path}.yaml").read_text(encoding="utf-8")
    else:
        try:
            text = Path(name_or_path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            names = ", ".join(_LAUNCHERS)
            raise InputError(f"launcher {name_or_path}: {reason}; give {names} or a YAML file") from None
    source = f"launcher {name_or_path}"
    return validate(Launcher, parse_mapping(text, source, Launcher), source)


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
