"""Parts of BSON documents, read without decoding the rest of them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from struct import Struct
from typing import Any

import bson

_LENGTH = Struct("<i")
_length_at = _LENGTH.unpack_from
_DOCUMENT, _LIST = 0x03, 0x04
_SIZES = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}
"""Bytes of values by their type (bsonspec.org), where they do not depend on the value."""

_UNCOUNTED = {_DOCUMENT: 0, _LIST: 0, 0x0F: 0, 0x02: 4, 0x0D: 4, 0x0E: 4, 0x05: 5}
"""Of values that begin with a length: how many bytes that does not count."""

type Paths = dict[str, "Paths"]
"""Names of fields, each with those wanted inside it; all of it where none is named."""


def paths_of(names: Iterable[str]) -> Paths:
    """Arrange dotted names of fields as a tree."""
    tree: Paths = {}
    for name in names:
        # what stands at a place in a list is taken with the whole list
        *outer, last = takewhile(lambda part: not part.isdigit(), name.split("."))
        place: Paths | None = tree
        for part in outer:
            # all of a field covers what is named inside it
            place = None if place is None or place.get(part) == {} else place.setdefault(part, {})
        if place is not None:
            place[last] = {}
    return tree


def names_in(criteria: Mapping[str, Any]) -> Iterator[str]:
    """Give the dotted names of the fields that a query looks at."""
    for name, condition in criteria.items():
        if not name.startswith("$"):
            element = condition.get("$elemMatch", {}) if isinstance(condition, Mapping) else {}
            yield from [f"{name}.{inside}" for inside in names_in(element)] or [name]
        elif name in {"$and", "$or", "$nor"}:
            for part in condition:
                yield from names_in(part)


def covers(kept: Paths, wanted: Paths) -> bool:
    """Whether what is kept has all of the fields that are wanted."""
    return all(
        name in kept and (not kept[name] or (bool(inside) and covers(kept[name], inside)))
        for name, inside in wanted.items()
    )


def pick(encoded: bytes, paths: Paths) -> dict[str, Any]:
    """Decode the fields of one document that `paths` names; elements of lists keep their places."""
    return bson.decode(prune(encoded, paths) if paths else encoded)


def prune(encoded: bytes, paths: Paths) -> bytes:
    """Leave the fields of one document that `paths` names, without decoding it."""
    return _prune(encoded, 0, paths)


def _prune(encoded: bytes, start: int, paths: Paths, *, is_list: bool = False) -> bytes:
    """Leave, of the document or list that begins at a place, the fields that `paths` names; without decoding it."""
    kept = []
    place, end = start + 4, start + _length_at(encoded, start)[0] - 1
    while place < end:
        kind, name_end = encoded[place], encoded.index(0, place + 1)
        value = name_end + 1
        size = _SIZES[kind] if kind in _SIZES else _UNCOUNTED[kind] + _length_at(encoded, value)[0]
        inside = paths if is_list else paths.get(encoded[place + 1 : name_end].decode())
        if inside and kind in {_DOCUMENT, _LIST}:
            kept += [encoded[place:value], _prune(encoded, value, inside, is_list=kind == _LIST)]
        elif inside is not None:
            kept.append(encoded[place : value + size])
        place = value + size
    content = b"".join(kept)
    return _LENGTH.pack(len(content) + 5) + content + b"\0"


def project(document: dict[str, Any], paths: Paths) -> dict[str, Any]:
    """Leave the fields that `paths` names as MongoDB does: where more is named inside a field, documents alone."""
    projected: dict[str, Any] = {}
    for name, value in document.items():
        inside = paths.get(name)
        if inside == {}:
            projected[name] = value
        elif inside and isinstance(value, dict):
            projected[name] = project(value, inside)
        elif inside and isinstance(value, list):
            projected[name] = [project(element, inside) for element in value if isinstance(element, dict)]
    return projected
