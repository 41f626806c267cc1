"""The INCAR of every kind of step, key by key, and what goes beside it."""

from pathlib import Path
from typing import Any, cast

import atomate2
import numpy as np
import pytest
from pymatgen.io.vasp.inputs import Incar, Poscar
from tests.engines.vasp.vasp_samples import NO_CONTENT, alloy, install, metal, nve, request

from tachylite.engines import get_engine
from tachylite.engines.vasp.dynamics import check_request
from tachylite.engines.vasp.engine import VaspEngine
from tachylite.engines.vasp.inputs import energy_set, md_set, structure_of, write_inputs
from tachylite.engines.vasp.setup import quietly
from tachylite.errors import InputError
from tachylite.schemas import Request, Segment, State

MD: dict[str, Any] = {
    "ADDGRID": True,
    "ALGO": "Fast",
    "BMIX": 1.0,
    "EDIFF": 4e-5,
    "ENCUT": 520.0,
    "IBRION": 0,
    "ISIF": 2,
    "ISMEAR": 0,
    "ISPIN": 1,
    "ISYM": 0,
    "KBLOCK": 100,
    "LASPH": True,
    "LCHARG": False,
    "LMAXMIX": 4,
    "LREAL": True,
    "LWAVE": False,
    "MAXMIX": 20,
    "NBLOCK": 1,
    "NELM": 500,
    "NELMIN": 4,
    "NSW": 100,
    "POTIM": 2.0,
    "PREC": "Normal",
    "SIGMA": 0.05,
    "TEBEG": 5000.0,
    "TEEND": 5000.0,
}
THERMOSTATS: dict[str, dict[str, Any]] = {
    "nose-hoover": {"MDALGO": 2, "SMASS": 0.0},
    "langevin": {"MDALGO": 3, "LANGEVIN_GAMMA": [10.0, 10.0]},
    "none": {"MDALGO": 1, "ANDERSEN_PROB": 0.0},
}
RELAX: dict[str, Any] = {
    "ALGO": "Fast",
    "EDIFF": 2e-4,
    "ENCUT": 520.0,
    "IBRION": 2,
    "ISIF": 3,
    "ISMEAR": -5,
    "ISPIN": 2,
    "LASPH": True,
    "LMAXMIX": 4,
    "LORBIT": 11,
    "LREAL": "Auto",
    "LWAVE": False,
    "MAGMOM": [0.6] * 4,
    "NELM": 100,
    "NSW": 99,
    "PREC": "Accurate",
    "SIGMA": 0.05,
}
PLUS_U: dict[str, Any] = {
    "LDAU": True,
    "LDAUJ": [0, 0],
    "LDAUL": [0, 2],
    "LDAUPRINT": 1,
    "LDAUTYPE": 2,
    "LDAUU": [0, 5.3],
    "MAGMOM": [0.6, 0.6, 5, 5],
}


def keys(input_set: Any) -> dict[str, Any]:
    with quietly():
        return dict(input_set.incar)


def md(state: State, segment: Segment, begin: int = 0, steps: int = 100, **changes: Any) -> Any:
    options: dict[str, Any] = {"encut_ev": 520.0, "spin_polarized": False, "potcar_functional": "PBE"} | changes
    return md_set(state, segment, begin, steps, **options)


def energy(kind: str, state: State, relax_cell: bool = True) -> Any:
    return energy_set(kind, state, relax_cell=relax_cell, potcar_functional="PBE")


def iron_oxide() -> State:
    return metal().model_copy(update={"numbers": [26, 8, 26, 8]})


@pytest.mark.parametrize("thermostat", THERMOSTATS)
def test_molecular_dynamics(thermostat: str) -> None:
    segment = Segment(steps=100, temperature_k=5000, thermostat=cast(Any, thermostat))
    input_set = md(alloy(), segment)
    assert keys(input_set) == MD | THERMOSTATS[thermostat]
    assert input_set.kpoints.style.name == "Gamma"
    assert input_set.kpoints.kpts == [(1, 1, 1)]


def test_a_cell_that_changes_along_its_normal_changes_along_z() -> None:
    normal = Segment(steps=100, temperature_k=300, pressure_gpa=0.0, cell="normal")
    free = normal.model_copy(update={"cell": "free"})
    expected = keys(md(alloy(), free)) | {"LATTICE_CONSTRAINTS": [False, False, True]}
    assert keys(md(alloy(), normal)) == expected
    tilted = alloy().model_copy(update={"cell": [[5.0, 0, 0], [0, 5.0, 0], [1.0, 0, 5.0]]})
    asked = Request(label="slab", state=tilted, segments=[normal], seed=0)
    with pytest.raises(InputError, match="VASP changes a cell along z only"):
        check_request(asked)
    check_request(asked.model_copy(update={"segments": [free]}))
    check_request(asked.model_copy(update={"state": alloy()}))


def test_molecular_dynamics_is_without_u_whatever_the_elements() -> None:
    assert keys(md(iron_oxide(), Segment(steps=100, temperature_k=5000))) == MD | THERMOSTATS["nose-hoover"]


def test_spin_cutoff_and_time_step() -> None:
    segment = Segment(steps=100, temperature_k=5000, timestep_fs=0.5)
    incar = keys(md(iron_oxide(), segment, encut_ev=400, spin_polarized=True))
    changes = {"ISPIN": 2, "MAGMOM": [0.6, 0.6, 5, 5], "ENCUT": 400.0, "POTIM": 0.5}
    assert incar == MD | THERMOSTATS["nose-hoover"] | changes


def test_a_ramp_is_one_line_over_all_its_chunks() -> None:
    segment = Segment(steps=101, temperature_k=3000, end_temperature_k=1000)
    parts = [keys(md(alloy(), segment, begin, steps)) for begin, steps in ((0, 51), (51, 50))]
    assert [(part["TEBEG"], part["TEEND"], part["NSW"]) for part in parts] == [
        (3000, pytest.approx(2000), 51),
        (pytest.approx(1980), 1000, 50),
    ]


def test_energies_have_the_settings_of_the_materials_project() -> None:
    assert keys(energy("relax", metal())) == RELAX
    assert keys(energy("relax", metal(), relax_cell=False)) == RELAX | {"ISIF": 2}
    by_force = energy_set("relax", metal(), relax_cell=True, potcar_functional="PBE", max_force_ev_a=0.02)
    assert keys(by_force) == RELAX | {"EDIFFG": -0.02}
    static = {key: value for key, value in RELAX.items() if key not in {"IBRION", "ISIF"}}
    assert keys(energy("static", metal())) == static | {"NSW": 0, "LREAL": False, "LCHARG": True}
    assert keys(energy("relax", iron_oxide())) == RELAX | PLUS_U
    assert energy("relax", metal()).kpoints.kpts == [(6, 6, 6)], "64 points in a reciprocal volume of 1/A^3"
    assert energy("static", metal()).kpoints.kpts == [(8, 8, 8)]


def test_settings_of_the_espresso_engine(vasp: Path) -> None:
    """The same functional, smearing and k-points, shifted as pw.x shifts them, and no correction of the energy."""
    engine = get_engine("vasp", level="espresso", kspacing=0.45)
    for kind in ("relax", "static"):
        inputs = energy_set(kind, metal(), relax_cell=True, potcar_functional="PBE", plain_kspacing_per_a=0.45)
        with quietly():  # pymatgen warns of ISMEAR = -1 for a metal, as of the tetrahedron method
            incar = inputs.incar
        assert (incar["GGA"].upper(), incar["ISMEAR"], incar["SIGMA"]) == ("PE", -1, 0.05)
        assert "KSPACING" not in incar
        assert not incar.get("LDAU", False)
        assert tuple(inputs.kpoints.kpts[0]) == (4, 4, 4)
        assert tuple(inputs.kpoints.kpts_shift) == (0.5, 0.5, 0.5)
    (relaxed,) = engine.relax([metal()], vasp, relax_cell=True, labels=["Cu"])
    assert relaxed.status == "converged", relaxed.reason
    assert relaxed.provenance.options["level"] == "espresso"
    assert "corrections" not in relaxed.provenance.options
    other = get_engine("vasp").provenance()
    assert not relaxed.provenance.is_comparable_with(other)


def test_a_poscar_groups_the_elements_and_carries_velocities(vasp: Path) -> None:
    state = alloy()
    write_inputs(md(state, nve(100)), vasp)
    poscar = Poscar.from_file(vasp / "POSCAR")
    assert poscar.site_symbols == ["Al", "Cu"]
    order = [1, 3, 0, 2]
    assert np.allclose(poscar.structure.cart_coords, np.asarray(state.positions)[order], atol=1e-12)
    assert poscar.velocities is not None
    assert np.allclose(poscar.velocities, np.asarray(state.velocities)[order], atol=1e-15)
    assert np.allclose(structure_of(state).lattice.matrix, state.cell)
    assert (vasp / "POTCAR").read_text(encoding="utf-8").count(NO_CONTENT) == 2


def test_the_users_own_incar_keys_are_added_as_atomate2_adds_them(vasp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomate2.SETTINGS, "VASP_INCAR_UPDATES", {"NCORE": 4, "LREAL": "Auto"})
    write_inputs(md(alloy(), nve(100)), vasp)
    incar = Incar.from_file(vasp / "INCAR")
    assert incar == MD | THERMOSTATS["none"] | {"TEBEG": 600, "TEEND": 600, "NCORE": 4, "LREAL": "Auto"}
    options = get_engine("vasp").provenance().options
    assert options == {"incar": {"LREAL": "Auto"}}, "how work is shared out is no part of an answer"


def test_what_changes_an_answer_is_in_its_provenance(vasp: Path) -> None:
    assert get_engine("vasp", chunk_steps=7).provenance().options == {}
    assert get_engine("vasp", encut_ev="400").provenance().options == {"encut_ev": 400.0}
    assert get_engine("vasp", potcar_functional="PBE_54").provenance().model == "PBE_54"


def test_inputs_of_a_working_folder_are_left_alone(vasp: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "POSCAR").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    write_inputs(md(alloy(), nve(100)), vasp)
    assert (tmp_path / "POSCAR").read_text(encoding="utf-8") == "mine"


def test_first_inputs_name_the_potentials_where_their_potcars_are_missing(vasp: Path) -> None:
    engine = VaspEngine()
    assert engine.write_first_inputs(request(alloy(), nve(100)), vasp / "complete") is None
    assert (vasp / "complete" / "POTCAR").exists()
    line = engine.write_first_inputs(request(iron_oxide(), nve(100)), vasp / "spec")
    assert line is not None
    assert line.startswith("POTCAR.spec: no POTCARs are set up here; ")
    assert "no PBE POTCAR of Fe, O in " in line
    assert "\n" not in line
    assert sorted(path.name for path in (vasp / "spec").iterdir()) == ["INCAR", "KPOINTS", "POSCAR", "POTCAR.spec"]
    symbols = (vasp / "spec" / "POTCAR.spec").read_text(encoding="utf-8").split("\n")
    assert symbols == ["O", "Fe_pv"], "in the order of the POSCAR"
    assert Poscar.from_file(vasp / "spec" / "POSCAR").site_symbols == ["O", "Fe"]
    (answer,) = engine.run([request(iron_oxide(), nve(2))], vasp)
    assert answer.run.status == "failed"
    assert (answer.run.reason or "").startswith("no PBE POTCAR of Fe, O in ")


def test_an_engine_travels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path)
    engine = VaspEngine(encut_ev=400, chunk_steps=10)
    assert VaspEngine.from_dict(engine.as_dict()) == engine
    assert hash(engine) == hash(VaspEngine(encut_ev=400, chunk_steps=10))
