"""What people write on the command line, as values: a walltime, options of an engine."""

import re
from collections.abc import Sequence
from typing import Any

from tachylite.errors import InputError

_UNITS = re.compile(r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")
_CLOCK = re.compile(r"(?:(?P<d>\d+)-)?(?P<h>\d+):(?P<m>\d\d):(?P<s>\d\d)")
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def parse_walltime(text: str, option: str = "--walltime") -> float:
    """Seconds from `2h30m`, `1d12h`, `02:30:00`, `1-12:00:00` or a number of seconds; InputError for anything else."""
    words = text.strip().lower()
    seconds = 0.0
    if words.isdecimal():
        seconds = float(words)
    elif found := (_UNITS.fullmatch(words) or _CLOCK.fullmatch(words)):
        seconds = float(sum(int(number) * _SECONDS[unit] for unit, number in found.groupdict(default="0").items()))
    if seconds <= 0:
        raise InputError(f"{option} {text!r} is not a time; write 2h30m, 02:30:00, 1-12:00:00 (days) or seconds")
    return seconds


def parse_options(words: Sequence[str]) -> dict[str, Any]:
    """Options from `KEY=VALUE`, where a dot in the key leads into a mapping: `guards.temperature_factor=4`.

    Raises InputError for words of another form, and for a key that is given twice or is a value and a mapping.
    """
    options: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        *path, name = key.split(".")
        if not equals or not all((*path, name)):
            raise InputError(f"--option {word!r} is not KEY=VALUE, like repulsion=zbl or guards.temperature_factor=4")
        place = options
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise InputError(f"--option {word!r}: {part} has a value already")
        if name in place:
            raise InputError(f"--option {key} is given twice")
        place[name] = value
    return options
