import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from ase.io import iread
from tests.stores.store_samples import make_run, put
from typer.testing import CliRunner, Result

from tachylite.cli.campaigns.status import status
from tachylite.cli.query import query
from tachylite.errors import InputError
from tachylite.schemas import (
    Diffusivity,
    Failure,
    Interval,
    Material,
    Measured,
    Protocol,
    Provenance,
    State,
    Trajectory,
)
from tachylite.schemas.material import Activation
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.snapshots import SnapshotsResult
from tachylite.schemas.steps.volume import VolumeResult
from tachylite.stores import open_store

type Ask = Callable[..., Result]


def protocol(temperature_k: float) -> Protocol:
    steps = [
        {"kind": "volume", "name": "melt-volume", "temperature_k": temperature_k},
        {"kind": "hold", "name": "melt"},
        {"kind": "snapshots", "name": "amorphous-limit"},
    ]
    return Protocol.model_validate({"name": "quickstart", "steps": steps})


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TACHYLITE_STORE", raising=False)
    app = typer.Typer()
    app.command()(query)
    app.command()(status)
    return lambda *words: CliRunner().invoke(app, words)


@pytest.fixture
def filled(ask: Ask) -> Ask:
    store = open_store()
    for number, material in enumerate((lithium_phosphate(), sodium_chloride())):
        document = {"uuid": str(number), "index": 1, "name": "gather_material", "output": material}
        store.update({**document, "completed_at": f"2026-01-0{number + 1}T10:00:00.123"})
    store.update({"uuid": "run", "index": 1, "name": "quench", "output": [], "completed_at": "2026-01-03T10:00:00"})
    return ask


def lithium_phosphate() -> Material:
    shared: dict[str, Any] = {
        "temperature_k": 3000,
        "n_independent": 90,
        "lags_fs": [],
        "msd_a2": [],
        "msd_error_a2": [],
    }
    diffusivities = [
        Diffusivity(
            species="Li",
            diffusive=True,
            diffusivity_cm2_s=1.27e-4,
            diffusivity_interval_cm2_s=Interval(low=1.03e-4, high=1.52e-4),
            **shared,
        ),
        Diffusivity(species="P", diffusive=False, **shared),
    ]
    common: dict[str, Any] = {"status": "completed", "formula": "Li3PO4", "n_atoms": 96, "temperature_k": 3000}
    return Material(
        material_id="abc123",
        formula="Li3PO4",
        elements=["Li", "O", "P"],
        n_atoms=96,
        status="completed",
        failures=[],
        results=[
            VolumeResult(
                name="melt-volume",
                step="melt-volume",
                pressure_convention="total",
                volume_a3=Measured(value=1536, error=9.6),
                **common,
            ),
            HoldResult(
                name="melt",
                step="melt",
                source="melt-volume",
                density_g_cm3=Measured(value=1.5, error=0.012),
                diffusivities=diffusivities,
                **common,
            ),
            SnapshotsResult(
                name="amorphous-limit",
                step="amorphous-limit",
                source="melt",
                formation_energy_ev_per_atom=-2.345,
                **common,
            ),
        ],
        activations=[
            Activation(
                species="Li",
                activation_energy_ev=Measured(value=0.31, error=0.02),
                ln_d0=None,
                temperatures_k=[3000],
            )
        ],
        protocol=protocol(3000),
        provenance=Provenance(engine="chgnet", model="0.3.0", device="cpu", dtype="float32"),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def sodium_chloride() -> Material:
    common: dict[str, Any] = {"formula": "NaCl", "n_atoms": 96, "temperature_k": 2500}
    reason = "a vapour [no liquid] at zero pressure"
    return Material(
        material_id="def456",
        formula="NaCl",
        elements=["Cl", "Na"],
        n_atoms=96,
        status="failed",
        failures=[Failure(stage="melt-volume", reason=reason)],
        results=[
            VolumeResult(
                name="melt-volume",
                step="melt-volume",
                status="failed",
                reason=reason,
                pressure_convention="total",
                **common,
            ),
            HoldResult(name="melt", step="melt", source="melt-volume", status="skipped", reason=reason, **common),
            SnapshotsResult(
                name="amorphous-limit",
                step="amorphous-limit",
                source="melt",
                status="skipped",
                reason=reason,
                **common,
            ),
        ],
        protocol=protocol(2500),
        provenance=lithium_phosphate().provenance,
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def test_the_table_shows_numbers_with_their_errors(filled: Ask) -> None:
    result = filled("query")
    assert result.exit_code == 0
    for text in (
        "Li₃PO₄",
        "quickstart",
        "chgnet",
        "16.00 ± 0.10",
        "1.500 ± 0.012",
        "D(Li) 1.27 [1.03, 1.52] × 10⁻⁴",
        "D(P) not diffusive",
        "Ea(Li) 0.310 ± 0.020",
        "−2.345",
        "abc123",
    ):
        assert text in result.stdout, text
    assert result.stdout.index("NaCl") < result.stdout.index("Li₃PO₄")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["def456", "abc123"]),
        (["--formula", "PO4Li3"], ["abc123"]),
        (["--elements", "Li, O"], ["abc123"]),
        (["--status", "failed"], ["def456"]),
        (["--engine", "vasp"], []),
        (["--protocol", "quickstart", "--limit", "1"], ["def456"]),
        (["--temperature", "3000"], ["abc123"]),
        (["--where", "melt.density_g_cm3.value>1.4"], ["abc123"]),
        (["--where", "melt.density_g_cm3.value>1.4", "--where", "n_atoms<96"], []),
        (["--campaign", "unknown"], []),
    ],
)
def test_json_gives_the_documents(filled: Ask, words: list[str], expected: list[str]) -> None:
    result = filled("query", "--json", *words)
    materials = [Material.model_validate(content) for content in json.loads(result.stdout)]
    assert [material.material_id for material in materials] == expected
    if "abc123" in expected:
        assert materials[-1] == lithium_phosphate()


def test_csv_has_a_row_for_each(filled: Ask) -> None:
    lines = list(csv.DictReader(io.StringIO(filled("query", "--csv").stdout)))
    assert [line["formula"] for line in lines] == ["NaCl", "Li3PO4"]
    assert [line["melt_density_g_cm3"] for line in lines] == ["", "1.5"]
    assert [line["melt_density_error_g_cm3"] for line in lines] == ["", "0.012"]
    assert float(lines[1]["melt_D_Li_cm2_s"]) == 1.27e-4
    assert filled("query", "--csv", "--formula", "SiO2").stdout == ""


def test_structures_are_exported(ask: Ask, tmp_path: Path) -> None:
    state = State(numbers=[3, 8], positions=[(0, 0, 0), (1, 1, 1)], cell=[(4, 0, 0), (0, 4, 0), (0, 0, 4)])
    melt = lithium_phosphate().result("melt").model_copy(update={"run": make_run(final=state)})
    material = lithium_phosphate().model_copy(update={"results": [melt]})
    open_store().update({"uuid": "a", "index": 1, "output": material})
    result = ask("query", "--export", "structures")
    assert result.stdout == "structures/Li3PO4-abc123-melt.extxyz\n"
    assert next(iread(tmp_path / "structures" / "Li3PO4-abc123-melt.extxyz")).get_chemical_formula() == "LiO"


def test_recorded_frames_are_exported_with_their_labels(ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    energies, forces, stress = [-1.0, -2.0, -3.0], rng.normal(size=(3, 2, 3)).round(4), rng.normal(size=(3, 3, 3))
    stresses = stress + stress.transpose(0, 2, 1)
    trajectory = Trajectory.from_arrays(
        numbers=[3, 8],
        positions=rng.normal(size=(3, 2, 3)),
        cells=np.eye(3) * 4,
        times_fs=[0, 1, 2],
        series={},
        energies=energies,
        forces=forces,
        stresses=stresses,
    )
    melt = lithium_phosphate().result("melt").model_copy(update={"run": make_run(trajectory)})
    material = lithium_phosphate().model_copy(update={"results": [melt]})
    put(open_store(), {"runs": [make_run(trajectory)], "trajectories": [trajectory]}, material)
    assert ask("query", "--frames", "frames").stdout == "frames/Li3PO4-abc123-melt-frames.extxyz\n"
    frames = list(iread(tmp_path / "frames" / "Li3PO4-abc123-melt-frames.extxyz"))
    assert [atoms.get_potential_energy() for atoms in frames] == energies
    assert np.array([atoms.get_forces() for atoms in frames]) == pytest.approx(forces, abs=1e-8)
    assert np.array([atoms.get_stress(voigt=False) for atoms in frames]) == pytest.approx(stresses, abs=1e-8)


def test_nothing_found_is_said(filled: Ask) -> None:
    result = filled("query", "--formula", "SiO2")
    assert (result.exit_code, result.stdout) == (0, "no material in the store matches\n")


@pytest.mark.parametrize("command", ["query", "status"])
def test_no_store_yet_is_a_friendly_line(ask: Ask, command: str, tmp_path: Path) -> None:
    for _ in range(2):
        result = ask(command)
        assert result.exit_code == 0
        assert "tachylite run" in result.stdout
        assert not list(tmp_path.iterdir())
    open_store()
    assert "tachylite run" in ask(command).stdout
    nothing: dict[str, Any] = {"materials": {}, "failures": [], "jobs": [], "campaigns": []}
    assert json.loads(ask(command, "--json").stdout) in ([], nothing)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["query", "--store", "absent"], "no store in absent"),
        (["status", "--store", "absent.yaml"], r"absent\.yaml cannot be read"),
        (["query", "--status", "done"], "not one of completed, partial, failed"),
        (["query", "--formula", "Zz"], "Zz"),
        (["query", "--where", "density>1"], "'density' is no field of a material"),
        (["query", "--where", "melt.density>1"], "has no 'density'; did you mean 'density_g_cm3'"),
        (["status", "newest"], "0 campaigns are named"),
        (["query", "--elements", "Li;O"], "'Li;O' is not a chemical element"),
    ],
)
def test_bad_input_is_one_line(filled: Ask, words: list[str], message: str) -> None:
    result = filled(*words)
    assert isinstance(result.exception, InputError)
    with pytest.raises(InputError, match=message):
        raise result.exception


def test_status_counts_materials_and_names_failures(filled: Ask) -> None:
    result = filled("status")
    assert result.exit_code == 0
    assert "a vapour [no liquid] at zero pressure" in result.stdout
    assert "def456" in result.stdout
    assert result.stdout.index("quench") < result.stdout.index("gather_material")
    assert "2026-01-02 10:00:00" in result.stdout
    content = json.loads(filled("status", "--json").stdout)
    assert content["materials"] == {"completed": 1, "failed": 1}
    assert content["failures"][0]["stage"] == "melt-volume"
    assert content["jobs"][1] == {"name": "gather_material", "jobs": 2, "newest": "2026-01-02T10:00:00.123"}
