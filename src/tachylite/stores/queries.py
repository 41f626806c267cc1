"""Questions to a store, answered with documents; the same for every kind of store."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import batched, islice
from typing import Any, TypedDict, Unpack

from jobflow import JobStore
from maggma.core import Sort
from pydantic import ValidationError

from tachylite.errors import InputError
from tachylite.physics.composition import SYMBOLS, parse_formula
from tachylite.schemas import Material, version1
from tachylite.schemas.base import SCHEMA_VERSION, Document
from tachylite.schemas.run import reduced_formula
from tachylite.stores.conditions import parse_condition
from tachylite.stores.documents import EmbeddedDocumentStore

MATERIALS_AT_ONCE = 500
"""In memory; a material with five temperatures is 0.25 MB on disk, and some times that when it is read."""

NEWEST_FIRST: Mapping[str, Sort | int] = {"output.created_at": -1, "completed_at": -1}


class MaterialFilter(TypedDict, total=False):
    """Which materials are meant: all of what is given must hold.

    `formula` may be written in any way that gives the same composition; `elements` must all be in the material;
    `temperature_k` (K) is that of any result; `engine` and `protocol` are names; `where` holds
    conditions on any result, like `melt.density_g_cm3.value>2.5` (see `parse_condition`).
    """

    formula: str | None
    elements: Sequence[str] | None
    engine: str | None
    protocol: str | None
    status: str | None
    temperature_k: float | None
    campaign: str | None
    material_id: str | None
    where: Sequence[str]


def find_materials(store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]) -> list[Material]:
    """Find materials, newest first, of each `material_id` the newest.

    Raises InputError for a formula, an element or a result that does not exist, and for a document that a newer
    version has written. Thousands fill the memory: see `iter_materials`, and `find_rows` for numbers alone.
    """
    entries = newest_entries(store, limit=limit, **filters)
    return list(read_materials(store, entries, at_once=max(1, len(entries))))


def iter_materials(
    store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]
) -> Iterator[Material]:
    """Find materials as `find_materials` does; some at a time are in memory."""
    return read_materials(store, newest_entries(store, limit=limit, **filters))


def read_materials(
    store: JobStore, entries: Sequence[Mapping[str, Any]], at_once: int = MATERIALS_AT_ONCE
) -> Iterator[Material]:
    """Read the materials of entries as `newest_entries` gives them, in their order, some at a time."""
    for entry in _in_their_order(store, entries, None, at_once):
        yield read_document(Material, entry["output"])


def _in_their_order(
    store: JobStore, entries: Sequence[Mapping[str, Any]], fields: list[str] | None, at_once: int = MATERIALS_AT_ONCE
) -> Iterator[dict[str, Any]]:
    """Entries read once more, whole or with these fields, some at a time."""
    for part in batched(entries, at_once):
        places = [entry["uuid"] for entry in part]
        wanted: dict[str, Any] = {} if fields is None else {"properties": fields}
        matching = store.query({"uuid": {"$in": places}, "output.kind": "material"}, **wanted)
        by_place = {entry["uuid"]: entry for entry in matching}
        # so that those that were given out already leave the memory
        yield from (by_place.pop(place) for place in places)


def newest_entries(
    store: JobStore, names: Sequence[str] = (), *, limit: int | None = None, **filters: Unpack[MaterialFilter]
) -> list[dict[str, Any]]:
    """Of every material that matches, the newest entry, newest first, with some fields of its document.

    Only these fields are read. Each entry holds `uuid` and `output` with `material_id`, `created_at` and `names`.
    """
    return list(iter_newest_entries(store, names, limit=limit, **filters))


def iter_newest_entries(
    store: JobStore, names: Sequence[str] = (), *, limit: int | None = None, **filters: Unpack[MaterialFilter]
) -> Iterator[dict[str, Any]]:
    """Give entries as `newest_entries` does, one by one."""
    if limit is None or not names:
        matching = _newest_first(store, criteria_of(filters), entry_fields(names))
        entries: Iterable[dict[str, Any]] = islice(_without_repeats(matching), limit)
    else:  # some of many are chosen by what an index holds
        entries = _in_their_order(store, newest_entries(store, limit=limit, **filters), entry_fields(names))
    for entry in entries:
        yield in_todays_form(store, entry) if names else entry


def _without_repeats(entries: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Of every material the first entry."""
    known = set()
    for entry in entries:
        _refuse_newer("material", entry["output"].get("schema_version"))
        if entry["output"]["material_id"] not in known:
            known.add(entry["output"]["material_id"])
            yield entry


def _newest_first(store: JobStore, criteria: dict[str, Any], fields: list[str]) -> Iterable[dict[str, Any]]:
    """Entries of materials; those of an embedded store are read as they are asked for."""
    if isinstance(store.docs_store, EmbeddedDocumentStore):
        # MongoDB does not compare a time with the same one as text
        return store.query(criteria, properties=fields, sort=dict(NEWEST_FIRST))
    return sorted(store.query(criteria, properties=fields), key=_created)[::-1]


def entry_fields(names: Sequence[str]) -> list[str]:
    """What is read of an entry where `names` are the wanted fields of its document."""
    return [
        "uuid",
        "completed_at",
        *(f"output.{name}" for name in {"material_id", "created_at", "schema_version", *names}),
    ]


def in_todays_form(store: JobStore, entry: dict[str, Any]) -> dict[str, Any]:
    """An entry whose fields are where they are today: one of an earlier schema version is read as a whole.

    Raises InputError for one of a newer version, and for one that cannot be read.
    """
    _refuse_newer("material", entry["output"].get("schema_version"))
    if entry["output"].get("schema_version") == SCHEMA_VERSION:
        return entry
    whole = store.query_one({"uuid": entry["uuid"], "output.kind": "material"})
    assert whole is not None  # noqa: S101 - for the type checker: a query has just listed it
    return entry | {"output": read_document(Material, whole["output"]).model_dump()}


def _created(entry: Mapping[str, Any]) -> tuple[str, str]:
    """When, to the second, whether a store keeps times or words; within a second, in the order of the jobs' ends."""
    return str(entry["output"]["created_at"]).replace(" ", "T")[:19], str(entry.get("completed_at") or "")


def criteria_of(filters: MaterialFilter) -> dict[str, Any]:
    """Criteria for the documents of the materials that filters mean; raises InputError as `find_materials`."""
    formula, elements, temperature = filters.get("formula"), filters.get("elements"), filters.get("temperature_k")
    wanted = {
        "output.formula": reduced_formula(parse_formula(formula).unit) if formula is not None else None,
        "output.elements": {"$all": [_element(symbol) for symbol in elements]} if elements is not None else None,
        "output.provenance.engine": filters.get("engine"),
        "output.protocol.name": filters.get("protocol"),
        "output.status": filters.get("status"),
        "output.material_id": filters.get("material_id"),
        "metadata.campaign": filters.get("campaign"),
    }
    conditions: list[dict[str, Any]] = [parse_condition(text) for text in filters.get("where", ())]
    if temperature is not None:
        # the last two are those of schema version 1
        places = ("results.temperature_k", "melt.temperature_k", "anneals.temperature_k")
        conditions.append({"$or": [{f"output.{place}": temperature} for place in places]})
    criteria: dict[str, Any] = {"output.kind": "material"}
    criteria |= {name: value for name, value in wanted.items() if value is not None}
    return criteria | ({"$and": conditions} if conditions else {})


def load_model_file(store: JobStore, model_id: str) -> bytes:
    """Load the file of a model that learned in this store, for `tachylite.learning.model_file.from_bytes`.

    `model_id` may be the beginning of one. Raises InputError where there is no such model.
    """
    return _load_file(store, "model", "model_id", "archive", model_id)


def load_dataset_file(store: JobStore, fingerprint: str) -> bytes:
    """Load the parquet file of a table that was frozen in this store, for `tachylite.learning.dataset`.

    `fingerprint` may be the beginning of one. Raises InputError where there is no such table.
    """
    return _load_file(store, "dataset", "fingerprint", "parquet", fingerprint)


def _load_file(store: JobStore, card: str, name: str, content: str, wanted: str) -> bytes:
    """The newest file whose card has a name that begins as wanted."""
    place = f"output.{card}.{name}"
    entries = store.query({place: {"$exists": True}}, properties=["uuid", "index", "completed_at", place])
    known = {entry["output"][card][name]: entry for entry in sorted(entries, key=_ended)}
    matching = [one for one in known if one.startswith(wanted)]
    if len(matching) != 1:
        there = ", ".join(matching or known) or "none; `tachylite learn` makes one"
        raise InputError(f"{len(matching)} {card}s are named {wanted!r} in {store.name}; there are {there}")
    newest = known[matching[0]]
    entry = store.query_one({"uuid": newest["uuid"], "index": newest["index"]}, load=True)
    assert entry is not None  # noqa: S101 - for the type checker: it is one of the entries above
    return base64.b64decode(entry["output"][content])


def _ended(entry: Mapping[str, Any]) -> str:
    return str(entry.get("completed_at") or "")


def _element(symbol: str) -> str:
    if symbol not in SYMBOLS:
        raise InputError(f"'{symbol}' is not a chemical element; write symbols like Li,O")
    return symbol


def read_document[D: Document](kind: type[D], content: Mapping[str, Any]) -> D:
    """Read a document back; BSON knows neither time zones nor the marks that jobflow adds."""
    _refuse_newer(str(content.get("kind")), content.get("schema_version"))
    fields = {name: _in_utc(value) for name, value in content.items() if not name.startswith("@")}
    try:
        if content.get("schema_version") == 1:
            fields = version1.upgrade(fields)
        return kind.model_validate(fields)
    except (ValidationError, KeyError, TypeError) as error:
        problem = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (str(error),), "msg": "missing"}
        where = ".".join(map(str, problem["loc"]))
        raise InputError(
            f"a {content.get('kind')} in the store has schema version {content.get('schema_version')} and cannot be"
            f" read: {where}: {problem['msg']}; read it with the version of tachylite that wrote it"
        ) from None


def _refuse_newer(kind: str, version: int | None) -> None:
    if version is not None and version > SCHEMA_VERSION:
        raise InputError(
            f"a {kind} in the store has schema version {version}, of a newer tachylite; this one reads up to "
            f"{SCHEMA_VERSION}: pip install --upgrade tachylite"
        )


def _in_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
