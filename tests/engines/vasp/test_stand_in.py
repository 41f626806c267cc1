"""The stand-in is one: it refuses what VASP refuses, and what it writes is read by others' parsers."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from emmet.core.tasks import TaskDoc
from pymatgen.io.vasp.outputs import Oszicar, Outcar, Vasprun
from tests.engines.vasp.vasp_samples import COMMAND, alloy, metal, nve

from tachylite.engines.vasp.inputs import energy_set, md_set, write_inputs
from tachylite.engines.vasp.setup import quietly


def call(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", COMMAND], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def inputs(vasp: Path) -> Path:
    input_set = md_set(alloy(), nve(3), 0, 3, encut_ev=520, spin_polarized=False, potcar_functional="PBE")
    write_inputs(input_set, vasp)
    return vasp


def test_the_parsers_of_pymatgen_and_atomate2_read_it(inputs: Path) -> None:
    assert call(inputs).returncode == 0
    with quietly():
        run = Vasprun(inputs / "vasprun.xml")
        document = TaskDoc.from_directory(inputs)
    assert len(run.ionic_steps) == 3
    assert run.ionic_steps[0]["kinetic"] > 0
    assert len(Oszicar(inputs / "OSZICAR").ionic_steps) == 3
    assert Outcar(inputs / "OUTCAR").final_fr_energy == pytest.approx(run.ionic_steps[-1]["e_fr_energy"])
    assert document.state == "successful"
    assert document.task_type == "Molecular Dynamics"


REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no POTCAR": (lambda f: (f / "POTCAR").unlink(), "could not find or open the file POTCAR"),
    "POTCARs in another order": (
        lambda f: (f / "POTCAR").write_text("\n TITEL = PAW_PBE Cu_pv\n TITEL = PAW_PBE Al\n", encoding="utf-8"),
        "the POTCARs are of ['Cu', 'Al'], the POSCAR of ['Al', 'Cu']",
    ),
    "an INCAR that is not one": (lambda f: _change(f / "INCAR", "IBRION =", "IBRION"), "reading item 'IBRION 0'"),
    "a friction too few": (
        lambda f: _change(f / "INCAR", "MDALGO = 1", "MDALGO = 3\nLANGEVIN_GAMMA = 10.0"),
        "expected 2 values of LANGEVIN_GAMMA",
    ),
    "tetrahedra of one point": (lambda f: _change(f / "INCAR", "ISMEAR = 0", "ISMEAR = -5"), "Tetrahedron method fai"),
    "a left-handed cell": (lambda f: _change(f / "POSCAR", "3.6099999999999999", "-3.61"), "triple product"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_it_refuses(inputs: Path, what: str) -> None:
    change, words = REFUSALS[what]
    change(inputs)
    done = call(inputs)
    assert done.returncode == 1
    assert words in done.stdout


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_static_of_the_materials_project(vasp: Path) -> None:
    write_inputs(energy_set("static", metal(), relax_cell=True, potcar_functional="PBE"), vasp)
    assert call(vasp).returncode == 0
    with quietly():
        assert TaskDoc.from_directory(vasp).task_type == "Static"
