"""Jobs of learning a potential: collect frames, train a committee, ask the teacher."""

import base64
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobflow import job

from tachylite.engines import Engine, get_engine
from tachylite.engines.single_points import compute_single_points
from tachylite.engines.workdir import content_key, current_workdir, shared_workdir, write_atomically
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.learning.potentials.exploration import choose_frames, explored_frames, judge
from tachylite.learning.potentials.families import get_trainer
from tachylite.learning.potentials.training import train_potential
from tachylite.learning.potentials.training_set import TrainingSet
from tachylite.readers.labels import pack_frames, unpack_frames
from tachylite.schemas import State, Trajectory
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.schemas.potential import TEST_FRAMES, PotentialCard, PotentialFiles
from tachylite.stores.labels import label_frames

log = logging.getLogger(__name__)

type Named = dict[str, Sequence[Trajectory | None]]
"""Trajectories of the members of a cohort by the name of the step."""


@job(data="archive")
def collect_frames(trajectories: Named, level: str) -> dict[str, str]:
    """All frames of runs whose forces were kept; the output holds `frames` (their name) and `archive` (themselves)."""
    return _keep(_frames(trajectories, level, "first"))


@job(data="archive")
def train_committee(frames: Sequence[str], settings: dict[str, Any], committee: int, seed: int) -> dict[str, Any]:
    """Train NEPs on named frames; the output holds `card` and `archive` (the files by name, in base64)."""
    every = [frame for name in frames for frame in unpack_frames(_file_of(name).read_text(encoding="utf-8"))]
    folder = current_workdir() / f"training-{content_key(frames, settings, committee, seed)}"
    files = PotentialFiles(folder / "nep.txt")
    folder.mkdir(parents=True, exist_ok=True)
    if files.card.exists():
        card = PotentialCard.model_validate_json(files.card.read_bytes())
    else:
        card = train_potential(
            TrainingSet.of(every, seed=seed),
            "nep",
            get_trainer("nep", settings),
            files.file,
            _compute,
            committee=committee,
            seed=seed,
            report=log.info,
        )
    contents = {member.file: (folder / member.file).read_bytes() for member in card.members}
    contents[TEST_FRAMES] = (files.frames / TEST_FRAMES).read_bytes()
    return {"card": card, "archive": {name: base64.b64encode(text).decode() for name, text in contents.items()}}


@job(data="archive")
def ask_teacher(
    trajectories: Named,
    potential: dict[str, Any],
    teacher: EngineLike,
    labels: int,
    number: int,
    seed: int,
    failures: Sequence[str],
) -> dict[str, Any]:
    """Label frames of a student's runs; the output holds these, and `round`, what they say of it."""
    card = PotentialCard.model_validate(potential["card"])
    fresh = explored_frames(_frames(trajectories, "student", f"round {number}"))
    states = [frame.state for frame in fresh]
    members = [_compute(f"nep:{file}", states) for file in write_members(card, potential["archive"])]
    chosen = choose_frames(fresh, members, labels, seed)
    points = ask(resolve_engine(teacher), [frame.state for frame in chosen.frames])
    level = resolve_engine(teacher).provenance().level
    answered = [
        replace(frame, label=point, level=level)
        for frame, point in zip(chosen.frames, points, strict=True)
        if point.reason is None
    ]
    return {**_keep(answered), "round": judge(number, chosen, points, card, failures)}


def ask(engine: Engine, states: Sequence[State]) -> list[SinglePoint]:
    """Labels of structures, which the work folder keeps."""
    key = content_key(engine.provenance().model_dump(mode="json"), [state.model_dump() for state in states])
    path = current_workdir() / f"labels-{key}.json"
    if path.exists():
        return [SinglePoint.from_dict(entry) for entry in json.loads(path.read_bytes())]
    points = compute_single_points(engine, states, current_workdir())
    write_atomically(path, json.dumps([point.as_dict() for point in points]).encode())
    return points


def _keep(frames: Sequence[LabelledFrame]) -> dict[str, str]:
    """Put frames into the work folder, where jobs of later rounds find them by name, and into the store.

    A flow that takes the place of a job cannot refer to what others than its own jobs have given.
    """
    archive = pack_frames(frames)
    name = content_key(archive)
    write_atomically(_file_of(name), archive.encode())
    return {"frames": name, "archive": archive}


def _file_of(name: str) -> Path:
    return current_workdir() / f"frames-{name}"


def _frames(trajectories: Named, level: str, prefix: str) -> list[LabelledFrame]:
    return [
        frame
        for step, members in trajectories.items()
        for number, trajectory in enumerate(members)
        if trajectory is not None
        for frame in label_frames(trajectory, f"{prefix}-{step}-{number}", level)
    ]


def _compute(name: str, states: Sequence[State]) -> list[SinglePoint]:
    return compute_single_points(get_engine(name), states, current_workdir())


def write_members(card: PotentialCard, archive: dict[str, str]) -> list[Path]:
    """Files of the members of a committee in the work folder, where engines of any job find them."""
    paths = []
    for member in card.members:
        paths.append(shared_workdir() / "potentials" / f"{member.sha256[:16]}.txt")
        if not paths[-1].exists():
            write_atomically(paths[-1], base64.b64decode(archive[member.file]))
    return paths
