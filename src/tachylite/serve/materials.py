"""Pages of materials: the list, one of them, its files, several side by side."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from tachylite.errors import InputError
from tachylite.report.columns import cell_text
from tachylite.report.pages.campaign import periodic_table
from tachylite.report.pages.material import render_material
from tachylite.serve.compare import MOST, comparison
from tachylite.serve.contents import Contents, NotThereError
from tachylite.serve.dependencies import StoreContents, strict_words
from tachylite.serve.files import downloads_of, file_of, named_trajectories, player_data
from tachylite.serve.filters import (
    AT_ONCE,
    HEADS,
    MaterialQuery,
    matching_rows,
    page_of,
    parse_query,
    shown_columns,
    words_of,
)
from tachylite.serve.rendering import show, templates
from tachylite.serve.table import MaterialRow, Snapshot

router = APIRouter()

_ROWS_AT_ONCE = 200
"""Of a table that is sent."""


@router.get("/materials")
def list_of_materials(request: Request, contents: StoreContents) -> Response:
    """Materials that match filters, a page at a time."""
    query, snapshot = _query(request, contents)
    if query.campaign is not None:  # whose members the snapshot does not tell
        return _list(query, snapshot, contents)
    return contents.answers.give(request, snapshot.number, lambda: _list(query, snapshot, contents))


def _list(query: MaterialQuery, snapshot: Snapshot, contents: Contents) -> HTMLResponse:
    rows = _matching(query, snapshot, contents)
    columns = shown_columns(query, snapshot)
    pages = max(1, -(-len(rows) // AT_ONCE))
    return show(
        "materials.html.j2",
        query=query,
        rows=page_of(rows, min(query.page, pages)),
        matching=len(rows),
        total=len(snapshot.rows),
        unreadable=snapshot.unreadable,
        heads=HEADS,
        columns={name: snapshot.columns[name] for name in columns},
        all_columns=snapshot.columns,
        elements=periodic_table(snapshot.elements),
        choices=snapshot.choices,
        is_whole=snapshot.is_whole,
        pages=pages,
        page=min(query.page, pages),
        cell=lambda row, name: "" if (cell := row.cell(name)) is None else cell_text(cell),
        address=lambda **changes: _address(query, **changes),
        most_compared=MOST,
    )


@router.get("/materials.csv")
def rows_as_csv(request: Request, contents: StoreContents) -> Response:
    """All rows that match, comma separated, with a column for every number."""
    rows = _matching(*_query(request, contents), contents)
    # as thousands of rows take a while, others are answered in between
    return StreamingResponse(_csv(rows), media_type="text/csv", headers=_attached("materials.csv"))


def _csv(rows: Sequence[MaterialRow]) -> Iterator[str]:
    """A table as text, some rows at a time."""
    layouts = dict.fromkeys(row.layout for row in rows)
    heads = rows[0].head if rows else ()
    names = dict.fromkeys([*heads, *(name for layout in layouts for name in layout.names)])
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for some in batched(rows, _ROWS_AT_ONCE):
        writer.writerows(map(_fields, some))
        yield text.getvalue()
        text.seek(0)
        text.truncate()


@router.get("/materials.json")
def rows_as_json(request: Request, contents: StoreContents) -> JSONResponse:
    """All rows that match, as a list of objects."""
    rows = [_fields(row) for row in _matching(*_query(request, contents), contents)]
    return JSONResponse(rows, headers=_attached("materials.json"))


@router.get("/materials/{material_id}/")
def page_of_material(request: Request, material_id: str, contents: StoreContents) -> Response:
    """The report of a material, with its trajectories in the viewer."""
    version = contents.version(material_id)
    return contents.answers.give(request, version, lambda: _page(material_id, contents))


def _page(material_id: str, contents: Contents) -> HTMLResponse:
    material = contents.material(material_id)
    trajectories = contents.trajectories(material)
    players = [
        {"title": f"{title}, trajectory", "address": f"trajectories/{identity}"}
        for _, title, identity in named_trajectories(material)
        if identity in trajectories
    ]
    text = render_material(
        material, trajectories, downloads=downloads_of(material), scenes=players, templates=templates()
    )
    return HTMLResponse(text)


@router.get("/materials/{material_id}/trajectories/{identity}")
def frames_of_trajectory(request: Request, material_id: str, identity: str, contents: StoreContents) -> Response:
    """Frames of a trajectory for the viewer."""
    version = contents.version(material_id)
    return contents.answers.give(request, version, lambda: _frames(material_id, identity, contents))


def _frames(material_id: str, identity: str, contents: Contents) -> JSONResponse:
    trajectory = contents.trajectories(contents.material(material_id)).get(identity)
    if trajectory is None:
        raise NotThereError("the store does not hold this trajectory")
    return JSONResponse(player_data(trajectory))


@router.get("/materials/{material_id}/files/{name}")
def file_of_material(request: Request, material_id: str, name: str, contents: StoreContents) -> Response:
    """A file to download."""
    version = contents.version(material_id)
    if name.startswith("trajectory_"):  # too large to be kept
        return _file(material_id, name, contents)
    return contents.answers.give(request, version, lambda: _file(material_id, name, contents))


def _file(material_id: str, name: str, contents: Contents) -> Response:
    material = contents.material(material_id)
    file = file_of(material, contents.trajectories(material) if name.startswith("trajectory_") else {}, name)
    if file is None:
        raise NotThereError(f"material {material_id} has no file {name[:80]}")
    return Response(file.content, media_type=file.kind, headers=_attached(f"{material.formula}_{file.name}"))


@router.get("/compare")
def compared(request: Request, contents: StoreContents) -> Response:
    """Several materials side by side."""
    words = strict_words(request, {"id"})
    ids = list(dict.fromkeys(text for _, text in words))
    if not 2 <= len(ids) <= MOST:
        raise InputError(f"{len(ids)} materials are chosen; from 2 to {MOST} can be compared")
    versions = tuple(contents.version(identity) for identity in ids)
    return contents.answers.give(request, versions, lambda: _comparison(ids, contents))


def _comparison(ids: Sequence[str], contents: Contents) -> HTMLResponse:
    materials = [contents.material(identity) for identity in ids]
    charts, tables = comparison(materials)
    return show("compare.html.j2", charts, materials=materials, tables_shown=tables)


def _query(request: Request, contents: Contents) -> tuple[MaterialQuery, Snapshot]:
    """The query of an address, and the materials that it is about."""
    snapshot = contents.table.snapshot
    return parse_query(request.query_params.multi_items(), snapshot), snapshot


def _matching(query: MaterialQuery, snapshot: Snapshot, contents: Contents) -> Sequence[MaterialRow]:
    members: frozenset[str] = frozenset()
    if query.campaign is not None:
        members = frozenset(contents.campaign(query.campaign).material_ids)
    return matching_rows(query, snapshot, members)


def _address(query: MaterialQuery, to: str = "/materials", **changes: Any) -> str:
    return f"{to}?{urlencode([*words_of(query, **({'page': 1} | changes))])}".rstrip("?")


def _fields(row: MaterialRow) -> dict[str, Any]:
    return {**row.head, **dict(zip(row.layout.names, row.numbers, strict=True))}


def _attached(name: str) -> dict[str, str]:
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return {"Content-Disposition": f'attachment; filename="{safe}"'}
