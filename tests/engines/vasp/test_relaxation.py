"""Energies through custodian and the stand-in: stages, corrections, interruptions."""

import time
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from tests.engines.vasp.vasp_samples import install, metal

from tachylite.engines import get_engine
from tachylite.engines.interruption import interruptible, use_deadline
from tachylite.engines.vasp.relaxation import VaspRelaxation
from tachylite.errors import OutOfTimeError
from tachylite.schemas import State
from tachylite.schemas.relaxation import Relaxation


def relax(work: Path, state: State, *, relax_cell: bool = True) -> Relaxation:
    (relaxation,) = get_engine("vasp").relax([state], work, relax_cell=relax_cell, labels=["snapshot 1"])
    return relaxation


def stages(work: Path) -> list[str]:
    return sorted(path.parent.name for path in work.glob("relax-*/stage-*/vasp.out"))


def test_relaxed_twice_then_a_static(vasp: Path) -> None:
    start = metal(temperature_k=None)
    relaxation = relax(vasp, start)
    assert (relaxation.status, relaxation.reason, relaxation.label) == ("converged", None, "snapshot 1")
    assert stages(vasp) == ["stage-00-relax", "stage-01-relax", "stage-02-static"]
    assert relaxation.max_force_ev_a < 0.02
    assert abs(relaxation.pressure_gpa) < 0.5
    assert relaxation.stress_gpa is not None
    assert relaxation.pressure_gpa == pytest.approx(-np.trace(relaxation.stress_gpa) / 3)
    assert relaxation.energy_ev_per_atom == pytest.approx(-3.211, abs=5e-4), "the stand-in's copper crystal"
    assert relaxation.state.volume_a3 / 4 == pytest.approx(12.19, rel=0.01)
    assert relaxation.provenance.options == {
        "potcars": ["PAW_PBE Cu_pv 06Sep2000"],
        "corrections": "MaterialsProject2020Compatibility",
        "correction_ev_per_atom": 0.0,
    }
    again = relax(vasp, start)
    assert again == relaxation
    assert len(stages(vasp)) == 3


def test_a_cell_that_is_held(vasp: Path) -> None:
    start = metal(temperature_k=None)
    relaxation = relax(vasp, start, relax_cell=False)
    assert relaxation.status == "converged"
    assert stages(vasp) == ["stage-00-relax", "stage-01-static"]
    assert np.allclose(relaxation.state.cell, start.cell)


def test_an_oxide_has_the_correction_of_the_materials_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """-0.687 eV for every O of an oxide (DOI 10.1038/s41598-021-94550-5)."""
    install(monkeypatch, tmp_path, ("Cu", "O"))
    state = State.from_atoms(bulk("CuO", "rocksalt", a=4.3, cubic=True))
    vasp_relaxation = VaspRelaxation(state, tmp_path / "work", "oxide", False, "PBE", 5, finished=1)
    with interruptible() as interruption:
        vasp_relaxation.run(interruption)
    relaxation = vasp_relaxation.answer("oxide", get_engine("vasp").provenance())
    assert relaxation.status == "converged", relaxation.reason
    assert relaxation.provenance.options["correction_ev_per_atom"] == pytest.approx(-0.687 / 2, abs=1e-6)
    bare = relaxation.energy_ev_per_atom - relaxation.provenance.options["correction_ev_per_atom"]
    assert bare == pytest.approx(vasp_relaxation.last["energy_ev"] / 8)


def test_the_end_of_the_walltime_keeps_the_steps(vasp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_VASP", "slow:500")
    with use_deadline(time.time() + 10), pytest.raises(OutOfTimeError, match="in relax 1 of 3 of snapshot 1"):
        relax(vasp, metal(temperature_k=None))
    monkeypatch.delenv("STAND_IN_VASP")
    relaxation = relax(vasp, metal(temperature_k=None))
    assert relaxation.status == "converged", relaxation.reason
    first, second = (path for path in sorted(vasp.glob("relax-*/stage-*/POSCAR"))[:2])
    assert first.parent.name == "stage-00-relax"
    assert first.read_text(encoding="utf-8") != second.read_text(encoding="utf-8"), "from where the first had come"


@pytest.mark.parametrize(
    ("mishap", "reason"),
    [
        ("nan:1@static", "static: an energy, force or stress is not a number (NaN)"),
        ("crash:1", "VASP failed: Job return code is 1: forrtl: severe (174): SIGSEGV, segmentation fault occurred"),
        ("cut:0@static", "static: vasprun.xml is cut off before the end of a step"),
    ],
)
def test_one_line_of_what_went_wrong(vasp: Path, monkeypatch: pytest.MonkeyPatch, mishap: str, reason: str) -> None:
    monkeypatch.setenv("STAND_IN_VASP", mishap)
    relaxation = relax(vasp, metal(temperature_k=None), relax_cell=False)
    assert relaxation.status == "failed"
    assert (relaxation.reason or "").startswith(reason)
    assert "\n" not in (relaxation.reason or "")
