"""Parts of BSON documents, read without decoding the rest of them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)

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
    for name, wanted in criteria.items():
        if not name.startswith("$"):
            yield name
        elif isinstance(wanted, list):
            for part in wanted:
                yield from names_in(part)


def pick(encoded: bytes, paths: Paths) -> dict[str, Any]:
    """Decode the fields of one document that `paths` names; elements of lists keep their places."""
    picked: dict[str, Any] = _pick(bson.decode(encoded, _RAW), paths)
    return picked


def _pick(value: Any, paths: Paths) -> Any:
    if isinstance(value, RawBSONDocument):
        if not paths:
            return bson.decode(value.raw)
        return {name: _pick(value[name], inside) for name, inside in paths.items() if name in value}
    if isinstance(value, list):
        return [_pick(element, paths) for element in value]
    return value
