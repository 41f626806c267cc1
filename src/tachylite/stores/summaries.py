"""What the embedded store keeps beside every document, so that questions need not read it: some fields, and words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import bson
from bson.errors import InvalidDocument

from tachylite.analysis.descriptors import TRAJECTORY_FIELDS
from tachylite.analysis.screen import FIELDS as SCREEN_FIELDS
from tachylite.schemas.base import SCHEMA_VERSION
from tachylite.schemas.material import ACTIVATION
from tachylite.schemas.steps import RESULTS
from tachylite.schemas.steps.columns import paths, value_at
from tachylite.stores.fields import Paths, paths_of, prune
from tachylite.stores.matching import values_at
from tachylite.stores.rows import MATERIAL_COLUMNS, row_of

_HEADS = ("kind", "name", "step", "variant", "status", "n_atoms", "temperature_k")
"""Fields of every result that tell what it is."""


def _table_fields() -> Iterator[str]:
    yield from (*MATERIAL_COLUMNS.values(), "failures")
    yield from (*paths(ACTIVATION), "activations.step", "activations.variant")
    yield from (f"results.{name}" for name in _HEADS)
    for kind in RESULTS.values():
        for column in kind.columns:
            yield from (f"results.{path}" for path in paths(column))


TABLE_FIELDS = tuple(dict.fromkeys(_table_fields()))
"""Fields of a material that tables show."""

WORDS = (
    *("uuid", "output.runs.trajectory_id", "output.material_id", "output.model.kind", "output.learned.kind"),
    *("output.formula", "metadata.campaign"),
    *("output.elements", "name", "output.protocol.name", "output.provenance.engine", "output.status"),
    *("output.runs.kind", "output.kind"),
)
"""Fields by whose words documents are found without a look at them; those first whose words fewest documents share."""

TIMES = {"output.created_at": "created", "completed_at": "completed"}
"""Fields that documents are sorted by without a look at them, and their columns.

A time counts the same as the text of it; anything else comes before all times, as what is missing does.
"""

_OUTPUT_FIELDS = (
    *("kind", "schema_version", "elements", "start.sample", "melt.temperature_k", "anneals.temperature_k"),
    *("model.model_id", "dataset.fingerprint"),
    *(*TABLE_FIELDS, *SCREEN_FIELDS, *TRAJECTORY_FIELDS),
)

_FIELDS = {"_id", "index", "completed_at", "metadata", *WORDS, *(f"output.{name}" for name in _OUTPUT_FIELDS)}

SUMMARY: Paths = paths_of(sorted(_FIELDS))
"""Fields that a summary has."""

_COLUMNS = (ACTIVATION, *(column for _, kind in sorted(RESULTS.items()) for column in kind.columns))

LAYOUT = crc32(repr((sorted(_FIELDS), sorted(WORDS), SCHEMA_VERSION, MATERIAL_COLUMNS, _COLUMNS)).encode())
"""Names which fields and columns these are: what another version of this package made has another number."""


@dataclass(frozen=True)
class Summary:
    """Of one document: `SUMMARY` in BSON, its `WORDS`, the times that it is sorted by, as text, and its row."""

    fields: bytes
    words: frozenset[tuple[str, str]]
    """Names of fields with a word that each holds."""
    created: str | None
    completed: str | None
    row: bytes | None
    """Of a table, in BSON; None where it is no material of today's form."""


def summarise(content: bytes) -> Summary:
    """Make the summary of a document in BSON."""
    fields = prune(content, SUMMARY)
    document = bson.decode(fields)
    words = {(name, word) for name in WORDS for word in values_at(document, name.split(".")) if is_word(word)}
    created, completed = (_time(value_at(document, name)) for name in TIMES)
    return Summary(fields, frozenset(words), created, completed, _row(document.get("output")))


def _row(material: Any) -> bytes | None:
    if not isinstance(material, dict) or material.get("kind") != "material":
        return None
    try:
        return bson.encode(row_of(material)) if material["schema_version"] == SCHEMA_VERSION else None
    except (KeyError, TypeError, ValueError, AttributeError, InvalidDocument):
        return None  # whoever asks for it reads the document, and hears what is wrong with it


def is_word(value: Any) -> bool:
    """Whether a value is found as a word; zeros end those of sqlite."""
    return isinstance(value, str) and "\0" not in value


def _time(value: Any) -> str | None:
    """A time as text that sorts, whether a document has it as a time or as text; None for anything else."""
    if isinstance(value, datetime):
        value = (value.astimezone(UTC) if value.tzinfo else value).isoformat(sep="T")
    return value.replace(" ", "T") if isinstance(value, str) else None


def narrow(criteria: Mapping[str, Any]) -> tuple[str, list[str], dict[str, Any]]:
    """Translate criteria into SQL on the columns of `documents`, its values, and what is left to test.

    Exact are words: `WORDS` that are equal to one, `$in` some or `$all` of some, and `$and` and `$or` of such. What is
    earlier than wanted is left out, and times are tested again.
    """
    exact: list[tuple[int, str, list[str]]] = []
    rest = []
    for name, condition in criteria.items():
        for part in condition if name == "$and" else [{name: condition}]:
            translated = _translate(part)
            if translated is None:
                rest.append(part)
                exact += [(len(WORDS), *begin) for begin in _begins(part)]
            else:
                rarity = max((WORDS.index(word) for word in part if word in WORDS), default=0)
                exact.append((rarity, *translated))
    # sqlite begins with the first
    exact.sort(key=lambda term: term[0])
    where = " and ".join(f"({sql})" for _, sql, _ in exact) or "true"
    return where, [value for *_, values in exact for value in values], {"$and": rest} if rest else {}


def _begins(criteria: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """SQL that holds for all documents that match conditions on times, and perhaps for more; with its value."""
    for name, condition in criteria.items():
        least = condition.get("$gte") if name in TIMES and isinstance(condition, Mapping) else None
        # a text with a blank may come before one that has T there, as all have in the column
        if isinstance(least, str) and is_word(least) and " " not in least:
            yield f"{TIMES[name]} is null or {TIMES[name]} >= ?", [least]


_HAVING = "id in (select document from words where field = ? and word in (select value from json_each(?)))"


def _translate(criteria: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    """SQL that holds for exactly those documents that match, and its values; None where there is none."""
    parts: list[tuple[str, list[str]] | None] = []
    for name, condition in criteria.items():
        if name in {"$and", "$or"}:
            parts.append(_join(name[1:], [_translate(part) for part in condition]))
        else:
            sets = _sets_of_words(condition) if name in WORDS else None
            parts.append(None if sets is None else _join("and", [_having(name, words) for words in sets]))
    return _join("and", parts)


def _join(word: str, parts: list[tuple[str, list[str]] | None]) -> tuple[str, list[str]] | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not known:
        return None
    return f" {word} ".join(f"({sql})" for sql, _ in known), [value for _, values in known for value in values]


def _having(name: str, words: Sequence[str]) -> tuple[str, list[str]]:
    # as one value, since sqlite limits how many there are
    return _HAVING, [name, json.dumps(words, ensure_ascii=False)]


def _sets_of_words(condition: Any) -> list[list[str]] | None:
    """Sets of words of which a document must have one each; None for a condition that is not of that kind."""
    match condition:
        case str() | {"$eq": str()}:
            sets = [[condition if isinstance(condition, str) else condition["$eq"]]]
        case {"$in": [*words]}:
            sets = [words]
        case {"$all": [*words]} if words:
            sets = [[word] for word in words]
        case _:
            return None
    if not isinstance(condition, str) and len(condition) > 1:
        return None
    return sets if all(is_word(word) for words in sets for word in words) else None
