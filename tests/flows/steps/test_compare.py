"""Frames of a run beside another engine: one that differs by a constant, and one that cannot compute them."""

from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from jobflow import run_locally
from pydantic import ValidationError

from tachylite.engines.workdir import use_workdir
from tachylite.flows import AmorphousMaker
from tachylite.schemas import Material, Protocol, State
from tachylite.schemas.steps.compare import CompareResult
from tachylite.stores import open_store

SHIFTED = '''
from ase.calculators.emt import EMT

class Shifted(EMT):
    """EMT with 2 eV/atom more, forces 1.5 times as large and 0.01 eV/A^3 more tension."""

    def calculate(self, *arguments, **options):
        super().calculate(*arguments, **options)
        self.results["energy"] += 2.0 * len(self.atoms)
        self.results["forces"] = 1.5 * self.results["forces"]
        self.results["stress"] = self.results["stress"] + [0.01, 0.01, 0.01, 0, 0, 0]
'''


def compared(folder: Path, engine: str, **settings: Any) -> tuple[Material, CompareResult]:
    """A run of copper by EMT, compared with another engine."""
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    protocol = Protocol.model_validate(
        {
            "name": "p",
            "timestep_fs": 2.0,
            "record_every": 5,
            "steps": [
                {"kind": "hold", "temperature_k": 900, "time_ps": 0.2},
                {"kind": "compare", "engine": engine, **settings},
                {"kind": "relax"},
            ],
        }
    )
    flow = AmorphousMaker(engine="ase:EMT", protocol=protocol).make([State.from_atoms(atoms)])
    with use_workdir(folder):
        responses = run_locally(flow, store=open_store(folder / "store"), log=False, raise_immediately=True)
    material = responses[flow.output[0].uuid][1].output
    assert isinstance(material, Material)
    (result,) = material.of_kind(CompareResult)
    assert isinstance(result, CompareResult)
    return material, result


def test_known_differences_come_out(tmp_path: Path) -> None:
    (tmp_path / "shifted.py").write_text(SHIFTED)
    material, result = compared(tmp_path, f"ase:{tmp_path}/shifted.py:Shifted", frames=5)
    assert (result.status, result.n_frames) == ("completed", 5)
    assert result.energy_above_ev_per_atom is not None
    assert result.energy_above_ev_per_atom.value == pytest.approx(-2.0, abs=1e-5)
    assert result.energy_scatter_ev_per_atom == pytest.approx(0.0, abs=1e-5), "positions are kept to some digits"
    assert result.pressure_above_gpa is not None
    assert result.pressure_above_gpa.value == pytest.approx(0.01 * 160.21766, abs=1e-3)
    assert result.force_rmse_ev_a is not None
    assert 0.1 < result.force_rmse_ev_a.value < 1.0
    assert "Shifted" in result.level
    assert material.results[-1].status == "completed", "a later step continues the run itself"


def test_the_same_engine_has_no_error(tmp_path: Path) -> None:
    _, result = compared(tmp_path, "ase:EMT", frames=3)
    assert result.force_rmse_ev_a is not None
    assert result.force_rmse_ev_a.value == pytest.approx(0.0, abs=1e-3)


def test_an_engine_that_computes_none_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        "from ase.calculators.emt import EMT\n\n"
        "class Broken(EMT):\n"
        "    def calculate(self, *arguments, **options):\n"
        '        raise RuntimeError("no licence")\n'
    )
    material, result = compared(tmp_path, f"ase:{tmp_path}/broken.py:Broken", frames=2)
    assert result.status == "failed"
    assert result.reason is not None
    assert result.reason.startswith("fewer than two frames were computed: RuntimeError: no licence")
    assert material.status != "completed"


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ({"kind": "hold", "temperature_k": 900, "record": "positions"}, "frames that have kept their forces, and hold"),
        ({"kind": "relax"}, "frames that have kept their forces, and relax keeps none"),
    ],
)
def test_a_step_without_forces_cannot_be_compared(before: dict[str, Any], message: str) -> None:
    steps = [before, {"kind": "compare", "engine": "chgnet"}]
    with pytest.raises(ValidationError, match=message):
        Protocol.model_validate({"name": "p", "timestep_fs": 2.0, "record_every": 5, "steps": steps})
