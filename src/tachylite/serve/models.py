"""Pages of models and potentials: their cards, and questions to models."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, Response

from tachylite.analysis.descriptors import states_of
from tachylite.analysis.file_descriptors import compute_file_descriptors
from tachylite.errors import InputError
from tachylite.learning.crystals.shipped import SHIPPED, shipped_card
from tachylite.learning.model_file import from_bytes
from tachylite.learning.states import predict_state
from tachylite.physics.composition import parse_formula
from tachylite.readers.crystals import read_each_crystal
from tachylite.report.pages.model import render_model
from tachylite.report.pages.rendering import Download
from tachylite.report.parts import Table
from tachylite.report.text import ABSENT, plain_formula, quantity
from tachylite.schemas import Failure, State
from tachylite.schemas.crystal_property import CrystalPrediction
from tachylite.schemas.learning import Model, Prediction
from tachylite.schemas.potential import LearnedPotential
from tachylite.schemas.run import reduced_formula
from tachylite.serve.contents import Contents
from tachylite.serve.dependencies import StoreContents
from tachylite.serve.rendering import show, templates
from tachylite.stores.listing import Unreadable

if TYPE_CHECKING:
    from tachylite.learning.crystals.model import CrystalPropertyModel

router = APIRouter()

_ENDINGS = (".cif", ".extxyz", ".vasp")
"""Of files that are read; each is read as what its ending says."""

_MOST_ATOMS = 1000
_WAIT_S = 20.0
_asking = Lock()
"""One question at a time, so that readers leave the machine to others."""


@router.get("/models")
def list_of_models(contents: StoreContents) -> HTMLResponse:
    """Models that learned in the store, those that come with the package, and potentials."""
    models, potentials = contents.models.get(), contents.potentials.get()
    return show(
        "models.html.j2",
        models=[model for model in models if isinstance(model, Model)],
        potentials=[potential for potential in potentials if isinstance(potential, LearnedPotential)],
        unreadable=[entry for entry in (*models, *potentials) if isinstance(entry, Unreadable)],
        shipped=_shipped(),
    )


@router.get("/models/{model_id}/")
def page_of_model(model_id: str, contents: StoreContents) -> HTMLResponse:
    """The card of a model, with a form to ask it."""
    if model_id in _shipped():
        return show("crystal_model.html.j2", name=model_id, card=shipped_card(model_id), ask="crystal")
    model = contents.model(model_id)
    downloads = [
        Download("model.npz", "model (npz)", "files/model.npz"),
        Download("model.json", "model card (JSON)", "files/model.json"),
    ]
    return HTMLResponse(render_model(model, downloads=downloads, templates=templates(), ask="state"))


@router.get("/models/{model_id}/files/{name}")
def file_of_model(model_id: str, name: Literal["model.npz", "model.json"], contents: StoreContents) -> Response:
    """The model itself, which `tachylite predict --model` reads, or its card."""
    model = contents.model(model_id)
    attached = {"Content-Disposition": f'attachment; filename="{name}"'}
    if name == "model.json":
        return Response(model.model_dump_json(indent=1), media_type="application/json", headers=attached)
    return Response(contents.model_file(model), media_type="application/octet-stream", headers=attached)


@router.post("/models/{model_id}/")
def answer_of_model(
    model_id: str,
    contents: StoreContents,
    file: Annotated[UploadFile | None, File()] = None,
    formula: Annotated[str, Form(max_length=120)] = "",
    temperature_k: Annotated[float | None, Form(gt=0, le=20_000, allow_inf_nan=False)] = None,
) -> HTMLResponse:
    """What a model says of an uploaded structure, or of the states of a formula that the store holds."""
    is_crystal = model_id in _shipped()
    model = None if is_crystal else contents.model(model_id)
    if not _asking.acquire(timeout=_WAIT_S):
        raise BusyError("the model answers others; ask again in a minute")
    try:
        if model is None:
            with _uploaded(file) as path:
                answer = _crystal_answer(_crystal_model(model_id).predict, path)
        elif formula.strip():
            answer = _states_answer(model, formula.strip(), contents)
        else:
            with _uploaded(file) as path:
                answer = _file_answer(model, path, temperature_k, contents)
    finally:
        _asking.release()
    return show("answer.html.j2", name=model_id, answer=answer, ask="crystal" if is_crystal else "state")


class BusyError(RuntimeError):
    """Somebody else is being answered."""


@contextmanager
def _uploaded(file: UploadFile | None) -> Iterator[Path]:
    """An uploaded file under a name of ours; InputError where there is none, or one of an unknown kind."""
    if file is None or not file.filename:
        raise InputError("choose a file, or name a formula")
    ending = Path(file.filename).suffix.lower()
    if ending not in _ENDINGS:
        raise InputError(f"files are read whose names end with {', '.join(_ENDINGS)}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"structure{ending}"
        path.write_bytes(file.file.read())
        yield path


def _file_answer(model: Model, path: Path, temperature_k: float | None, contents: Contents) -> Table:
    if temperature_k is None:
        raise InputError("give the temperature, in K, that the prediction is for")
    saved = from_bytes(contents.model_file(model), f"model {model.model_id}")
    descriptors = compute_file_descriptors(path, model.data.species, None, model.data.convention)
    if sum(descriptors.counts.values()) > _MOST_ATOMS:
        raise InputError(f"the structure has more than {_MOST_ATOMS} atoms; `tachylite predict` takes it")
    formula = reduced_formula(descriptors.counts)
    prediction = saved.predict(
        temperature_k, descriptors.means, formula, source="the file", n_frames=descriptors.n_frames
    )
    return _table([prediction])


def _states_answer(model: Model, formula: str, contents: Contents) -> Table:
    """Predictions of the melted states of the newest material of a formula."""
    reduced = reduced_formula(parse_formula(formula).unit)
    rows = [row for row in contents.table.snapshot.rows if row.head["formula"] == reduced]
    if not rows:
        raise InputError(f"the store holds no {reduced}; `tachylite predict {reduced} --model ...` melts it first")
    saved = from_bytes(contents.model_file(model), f"model {model.model_id}")
    material = contents.material(rows[0].material_id)
    trajectories = contents.trajectories(material)
    answers = [
        predict_state(
            saved,
            state,
            trajectories.get((state.run.trajectory_id if state.run is not None else None) or ""),
            f"material {material.material_id}",
        )
        for state in states_of(material)
    ]
    if not answers:
        raise InputError(f"material {material.material_id} has no state that was held at a temperature")
    return _table(answers)


def _table(answers: Sequence[Prediction | Failure]) -> Table:
    rows = tuple(
        (answer.stage, ABSENT, ABSENT, ABSENT, answer.reason)
        if isinstance(answer, Failure)
        else (
            f"{plain_formula(answer.formula)}, {answer.source}",
            f"{answer.temperature_k:g}",
            quantity(answer.value, interval=answer.interval, unit=answer.unit.replace("^2", "²"), digits=3),
            f"{answer.distance:.2f} / {answer.threshold:.2f}",
            "; ".join(answer.warnings) or "like the training set",
        )
        for answer in answers
    )
    columns = ("state", "T (K)", "prediction, 95 % interval", "distance / limit", "remarks")
    return Table("Predictions", columns, rows)


def _crystal_answer(predict: Callable[..., list[CrystalPrediction]], path: Path) -> Table:
    crystals = read_each_crystal(path)
    states = [crystal for _, crystal in crystals if isinstance(crystal, State)]
    if len(states) < len(crystals):
        raise next(crystal for _, crystal in crystals if isinstance(crystal, InputError))
    if sum(len(state.numbers) for state in states) > _MOST_ATOMS:
        raise InputError(f"the file has more than {_MOST_ATOMS} atoms; `tachylite predict` takes it")
    rows = tuple(
        (
            plain_formula(prediction.formula or ABSENT),
            quantity(prediction.value_ev_per_atom, interval=prediction.interval_ev_per_atom, unit="eV/atom", digits=3),
            prediction.warning or "like the training set",
        )
        for prediction in predict(states, [name for name, _ in crystals])
    )
    return Table("Predictions", ("crystal", "prediction, 95 % interval", "remarks"), rows)


def _shipped() -> tuple[str, ...]:
    """Models that come with the package, where what they need is installed."""
    return () if find_spec("e3nn") is None else tuple(SHIPPED)


@cache
def _crystal_model(name: str) -> "CrystalPropertyModel":
    from tachylite.learning.crystals.model import find_crystal_model

    return find_crystal_model(name)
