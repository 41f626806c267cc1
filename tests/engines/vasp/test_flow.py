"""The published protocol through the stand-in: the same documents as another engine gives."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.engines.vasp.vasp_samples import NO_CONTENT

from tachylite.configs import load_protocol, protocol_text
from tachylite.engines import get_engine
from tachylite.flows import run_amorphous
from tachylite.schemas import Material, Protocol
from tachylite.schemas.steps.snapshots import SnapshotsResult
from tachylite.schemas.steps.volume import VolumeResult
from tachylite.stores import find_materials, load_trajectory, open_store

SEARCH = {
    "equilibrate_ps": 0.02,
    "sample_ps": 0.06,
    "pressure_tolerance_gpa": 20.0,
    "volume_tolerance": 2.0,
    "energy_drift_tolerance": 100.0,
    "max_attempts": 6,
}
SHORTER: dict[str, dict[str, Any]] = {
    "melt-volume": SEARCH,
    "melt": {"time_ps": 0.08},
    "anneal-volume": SEARCH | {"temperature_k": [1000, 2000]},
    "anneal": {"time_ps": 0.06},
    "amorphous-limit": {"count": 2, "interval_ps": 0.04},
}
"""What a test changes in the steps of `zheng2024`; the rest, and their order, stays."""


@pytest.fixture
def protocol(tmp_path: Path) -> Protocol:
    data = yaml.safe_load(protocol_text("zheng2024"))
    data["packing"]["n_atoms"] = 4
    data["steps"] = [step | SHORTER[step["name"]] for step in data["steps"]]
    path = tmp_path / "zheng2024-short.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return load_protocol(path)


def campaign(engine: Any, protocol: Protocol, formulas: list[str], folder: Path) -> list[Material]:
    return run_amorphous(
        formulas, protocol=protocol, engine=engine, store=open_store(folder / "store"), workdir=folder / "work"
    )


def shape(value: Any) -> Any:
    """Keys and types, all the way down; of a list the shapes that are in it."""
    if isinstance(value, dict):
        return {key: shape(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(entry), sort_keys=True) for entry in value})
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def differences(left: Any, right: Any, place: str = "") -> list[str]:
    """Places at which two documents have other keys or types; what is None in one of them has none."""
    if left is None or right is None:
        return []
    if isinstance(left, dict) and isinstance(right, dict):
        only_one = [f"{place}.{key}" for key in left.keys() ^ right.keys()]
        return only_one + [
            d for key in left.keys() & right.keys() for d in differences(left[key], right[key], f"{place}.{key}")
        ]
    if isinstance(left, list) and isinstance(right, list):
        # results stand beside their like; of other lists the first entries do for all
        pairs = zip(left, right, strict=True) if place == ".results" else zip(left[:1], right[:1], strict=False)
        return [d for a, b in pairs for d in differences(a, b, f"{place}[]")]
    return [] if shape(left) == shape(right) else [f"{place}: {shape(left)} and {shape(right)}"]


FREE = ("provenance.versions", "provenance.options", "reference_energies")
"""What an engine fills with names of its own."""


@pytest.mark.slow
def test_the_whole_protocol_gives_the_same_documents_as_chgnet(vasp: Path, protocol: Protocol, tmp_path: Path) -> None:
    (ours,) = campaign("vasp", protocol, ["Cu"], vasp)
    (theirs,) = campaign("chgnet", protocol, ["Cu"], tmp_path / "chgnet")
    assert ours.status == "completed", ours.failures
    assert [anneal.temperature_k for anneal in ours.results_of("anneal")] == [1000, 2000]
    limit = ours.result("amorphous-limit")
    assert isinstance(limit, SnapshotsResult)
    assert limit.formation_energy_ev_per_atom is not None
    assert [result.name for result in ours.results] == [result.name for result in theirs.results]
    found = differences(json.loads(ours.model_dump_json()), json.loads(theirs.model_dump_json()))
    assert [place for place in found if not any(free in place for free in FREE)] == []
    assert {search.pressure_convention for search in ours.of_kind(VolumeResult)} == {"virial"}
    store = open_store(vasp / "store")
    assert [material.material_id for material in find_materials(store, formula="Cu")] == [ours.material_id]
    (trajectory_id,) = ours.result("melt").trajectory_ids
    assert load_trajectory(store, trajectory_id).n_frames == 4
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "potcars" not in path.parts]
    assert not [path for path in files if NO_CONTENT.encode() in path.read_bytes()], "no POTCAR is kept"
    assert not list((vasp / "work").glob("*/run-*")), "finished work is cleared away"


@pytest.mark.slow
def test_one_member_fails_and_the_other_goes_on(
    vasp: Path, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And asked for again, only what failed is computed."""
    melt, limit = protocol.step("melt"), protocol.step("amorphous-limit")
    melt = melt.model_copy(update={"sources": [], "temperature_k": [5000]})
    short = protocol.model_copy(update={"steps": [melt, limit]})
    monkeypatch.setenv("STAND_IN_VASP", "nan:7@Al")
    engine = get_engine("vasp", chunk_steps=20)
    bad, good = campaign(engine, short, ["Al", "Cu"], vasp)
    assert (bad.status, good.status) == ("failed", "completed"), good.failures
    reasons = {failure.stage: failure.reason for failure in bad.failures}
    assert list(reasons) == ["melt"], "the snapshots that were skipped are no failure of their own"
    assert "not a number (NaN), at step 7 of segment 1" in reasons["melt"]
    monkeypatch.delenv("STAND_IN_VASP")
    mended, same = campaign(engine, short, ["Al", "Cu"], vasp)
    assert mended.status == "completed", mended.failures
    assert same.result("melt") == good.result("melt"), "to the wall time: it was not computed again"
