"""Pages of materials: the list, one of them, its files, several side by side."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

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
from tachylite.serve.table import MaterialRow

router = APIRouter()


@router.get("/materials")
def list_of_materials(request: Request, contents: StoreContents) -> HTMLResponse:
    """Materials that match filters, a page at a time."""
    snapshot = contents.table.snapshot
    query, rows = _query(request, contents)
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
        cell=lambda row, name: cell_text(row.cells[name]) if name in row.cells else "",
        address=lambda **changes: _address(query, **changes),
        most_compared=MOST,
    )


@router.get("/materials.csv")
def rows_as_csv(request: Request, contents: StoreContents) -> Response:
    """All rows that match, comma separated, with a column for every number."""
    rows = [_fields(row) for row in _query(request, contents)[1]]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return Response(text.getvalue(), media_type="text/csv", headers=_attached("materials.csv"))


@router.get("/materials.json")
def rows_as_json(request: Request, contents: StoreContents) -> JSONResponse:
    """All rows that match, as a list of objects."""
    rows = [_fields(row) for row in _query(request, contents)[1]]
    return JSONResponse(rows, headers=_attached("materials.json"))


@router.get("/materials/{material_id}/")
def page_of_material(material_id: str, contents: StoreContents) -> HTMLResponse:
    """The report of a material, with its trajectories in the viewer."""
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
def frames_of_trajectory(material_id: str, identity: str, contents: StoreContents) -> JSONResponse:
    """Frames of a trajectory for the viewer."""
    trajectory = contents.trajectories(contents.material(material_id)).get(identity)
    if trajectory is None:
        raise NotThereError("the store does not hold this trajectory")
    return JSONResponse(player_data(trajectory))


@router.get("/materials/{material_id}/files/{name}")
def file_of_material(material_id: str, name: str, contents: StoreContents) -> Response:
    """A file to download."""
    material = contents.material(material_id)
    file = file_of(material, contents.trajectories(material) if name.startswith("trajectory_") else {}, name)
    if file is None:
        raise NotThereError(f"material {material_id} has no file {name[:80]}")
    return Response(file.content, media_type=file.kind, headers=_attached(f"{material.formula}_{file.name}"))


@router.get("/compare")
def compared(request: Request, contents: StoreContents) -> HTMLResponse:
    """Several materials side by side."""
    words = strict_words(request, {"id"})
    ids = list(dict.fromkeys(text for _, text in words))
    if not 2 <= len(ids) <= MOST:
        raise InputError(f"{len(ids)} materials are chosen; from 2 to {MOST} can be compared")
    materials = [contents.material(identity) for identity in ids]
    charts, tables = comparison(materials)
    return show("compare.html.j2", charts, materials=materials, tables_shown=tables)


def _query(request: Request, contents: Contents) -> tuple[MaterialQuery, Sequence[MaterialRow]]:
    """The query of an address, and the rows that match."""
    snapshot = contents.table.snapshot
    query = parse_query(request.query_params.multi_items(), snapshot)
    members: frozenset[str] = frozenset()
    if query.campaign is not None:
        members = frozenset(contents.campaign(query.campaign).material_ids)
    return query, matching_rows(query, snapshot, members)


def _address(query: MaterialQuery, to: str = "/materials", **changes: Any) -> str:
    return f"{to}?{urlencode([*words_of(query, **({'page': 1} | changes))])}".rstrip("?")


def _fields(row: MaterialRow) -> dict[str, Any]:
    return dict(row.head) | dict(_numbers(row))


def _numbers(row: MaterialRow) -> Iterator[tuple[str, float | None]]:
    for name, cell in row.cells.items():
        own = list(cell.fields())
        beginning = name.removesuffix(own[0][0])
        yield from ((f"{beginning}{field}", value) for field, value in own)


def _attached(name: str) -> dict[str, str]:
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return {"Content-Disposition": f'attachment; filename="{safe}"'}
