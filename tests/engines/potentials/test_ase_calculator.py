"""ASE calculators as models: found by name, the same answers, ASE's units."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import BaseCalculator, Calculator, all_changes
from ase.calculators.emt import EMT
from tests.engines.potentials.sample_structures import melt, state_of

from tachylite.engines import get_engine
from tachylite.engines.potentials.ase_calculator import ALL_ELEMENTS, AseSystem, load
from tachylite.errors import InputError, MissingPackageError
from tachylite.schemas import Request, Segment, State

CPU = torch.device("cpu")
OWN = """
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

def argon():
    return LennardJones(sigma={sigma}, epsilon=0.0103, rc=8.0, smooth=True)

nothing = 7
broken = EMT
def fails():
    raise RuntimeError("no such table")
"""


def test_answers_are_those_of_the_calculator() -> None:
    structures = [bulk("Cu", cubic=True), melt("CuAl", 4, 14.0, seed=0, closest=2.2), bulk("Ni")]
    for atoms in structures:
        atoms.rattle(0.05, seed=1)
    result = load("emt", CPU).potential(state_of(structures))
    start = 0
    for index, atoms in enumerate(structures):
        atoms.calc = EMT()
        forces = result["forces"][start : start + len(atoms)]
        assert float(result["energy"][index]) == pytest.approx(atoms.get_potential_energy(), abs=1e-10)
        np.testing.assert_allclose(forces, atoms.get_forces(), atol=1e-10)
        np.testing.assert_allclose(result["stress"][index], atoms.get_stress(voigt=False), atol=1e-12)
        start += len(atoms)


def test_stress_has_the_sign_of_tension() -> None:
    result = load("emt", CPU).potential(state_of([bulk("Cu", a=3.4), bulk("Cu", a=3.8)]))
    compressed, stretched = (float(stress.trace()) for stress in result["stress"])
    assert compressed < 0 < stretched


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")  # in the calculator of chgnet
def test_like_the_engine_that_computes_the_same_model() -> None:
    """CHGNet's own calculator, through ASE, against CHGNet here: units, signs and order are the same."""
    from tachylite.engines.potentials.chgnet.potential import ChgnetPotential

    structures = [melt("Li3PO4", 2, 12.0, seed=3), melt("NaCl", 3, 24.0, seed=1)]
    theirs = load("chgnet.model.dynamics:CHGNetCalculator", CPU).potential(state_of(structures))
    ours = ChgnetPotential()(state_of(structures))
    for name, tolerance in {"energy": 1e-3, "forces": 1e-3, "stress": 1e-5}.items():
        np.testing.assert_allclose(theirs[name], ours[name], atol=tolerance)


def test_an_own_calculator_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(OWN.format(sigma=3.4))
    loaded = load(f"{path}:argon", CPU)
    assert loaded.name == f"LennardJones ({path}:argon)"
    pair = Atoms("Ar2", positions=[[0, 0, 0], [3.4 * 2 ** (1 / 6), 0, 0]], cell=[20.0] * 3, pbc=True)
    assert float(loaded.potential(state_of([pair]))["energy"]) == pytest.approx(-0.0103, rel=1e-6)


def test_another_calculator_has_another_checksum(tmp_path: Path) -> None:
    """Checksums name work that is finished: the same for the same calculator, wherever its file lies."""
    here, moved, changed = tmp_path / "a.py", tmp_path / "b.py", tmp_path / "c.py"
    for path, sigma in [(here, 3.4), (moved, 3.4), (changed, 3.5)]:
        path.write_text(OWN.format(sigma=sigma))
    sums = [load(name, CPU).sha256 for name in ("emt", "lj", f"{here}:argon", f"{moved}:argon", f"{changed}:argon")]
    assert sums[2] == sums[3]
    assert len({*sums}) == 4
    assert sums[0] == load("emt", CPU).sha256


def test_elements_are_those_that_the_potential_is_good_for() -> None:
    with pytest.raises(InputError, match=r"ase:emt model does not know O, Zr"):
        get_engine("ase:emt").check_elements(["Cu", "Zr", "O"])
    get_engine("ase:emt").check_elements(["Cu", "Al", "Au"])
    get_engine("ase:lj").check_elements(["Cu", "Zr", "O"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "needs a calculator; give ase:emt, ase:PACKAGE.MODULE:NAME or ase:FILE.py:NAME"),
        ("nope", "unknown calculator ase:nope: .* has none of that name; give ase:emt"),
        ("tersoff", "ase:tersoff cannot be made .*missing 1 required.* give ase:emt"),
        ("tip3p", "ase:tip3p has no stress, and so no pressure; choose another engine"),
        ("ase.calculators.lj:Nope", "ase.calculators.lj has no Nope; give"),
        ("no_such_package:Thing", "No module named 'no_such_package'; install its package with pip, or give"),
        ("nowhere.py:Thing", "cannot read nowhere.py .No such file or directory.; give"),
        ("ase.units:Bohr", "gives a float, and no ASE calculator; give"),
        ("{own}:nothing", "gives a int, and no ASE calculator"),
        ("{own}:fails", "cannot be made .RuntimeError: no such table.; give"),
        ("{bad}:argon", "bad.py cannot be imported .ZeroDivisionError: division by zero.$"),
    ],
)
def test_what_is_no_calculator_is_refused_in_one_line(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN.format(sigma=3.4))
    (tmp_path / "bad.py").write_text("1 / 0\n")
    with pytest.raises(InputError, match=message) as caught:
        load(name.format(own=tmp_path / "own.py", bad=tmp_path / "bad.py"), CPU)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_said_as_such() -> None:
    with pytest.raises(MissingPackageError):
        load("no_such_package:Thing", CPU)


class Moody(Calculator):
    """EMT that fails for gold."""

    implemented_properties = ["energy", "forces", "stress"]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # ASE has no types here
        self.inner = EMT()

    def calculate(self, atoms: Atoms, properties: list[str], system_changes: list[str]) -> None:  # type: ignore[override]  # always called with all three
        if "Au" in atoms.symbols:
            raise RuntimeError("gold is not for sale")
        self.inner.calculate(atoms, properties, system_changes)
        self.results = self.inner.results


def test_a_run_goes_on_without_the_member_that_failed(tmp_path: Path) -> None:
    """Molecular dynamics through the engine: the same documents and guards as for every model."""
    members = [State.from_atoms(bulk(symbol, cubic=True)) for symbol in ("Cu", "Au", "Ni")]
    segments = [Segment(steps=20, temperature_k=300.0, timestep_fs=2.0, record_every=5)]
    requests = [Request(label="run", state=state, segments=segments, seed=1) for state in members]
    engine = get_engine(f"ase:{Path(__file__)}:Moody")
    copper, gold, nickel = (answer.run for answer in engine.run(requests, tmp_path))
    assert (copper.status, gold.status, nickel.status) == ("completed", "failed", "completed")
    assert gold.reason is not None
    assert "RuntimeError: gold is not for sale" in gold.reason
    assert gold.final == members[1] or gold.final.velocities is not None
    assert copper.provenance.engine == "ase"
    assert copper.provenance.model.startswith("Moody")


class Program(BaseCalculator):
    """EMT behind the interface of calculators that run a program, such as ASE's Espresso: without `reset`."""

    implemented_properties = ["energy", "forces", "stress"]

    def __init__(self) -> None:
        super().__init__(parameters={"pseudopotentials": {"Cu": "Cu.upf", "Al": "Al.upf"}})  # type: ignore[no-untyped-call]  # ASE has types on some functions only
        self.results: dict[str, object] = {}
        self.calls = 0

    def calculate(self, atoms: Atoms, properties: list[str], system_changes: list[str]) -> None:
        self.calls += 1
        inner = EMT()
        inner.calculate(atoms, properties, all_changes)
        self.results = inner.results


def test_a_calculator_without_reset_is_called_for_new_atoms_only() -> None:
    calculator = Program()
    system = AseSystem(calculator)
    copper = melt("Cu", 4, 12.0, seed=0, closest=2.2)
    expected = copper.copy()
    expected.calc = EMT()
    for length, calls in ((0.0, 1), (0.0, 1), (0.05, 2), (0.05, 3)):
        if length:
            copper.rattle(length, seed=calls)
            expected.positions = copper.positions
        energy, forces, _ = system.compute(copper.numbers, copper.positions, copper.cell.array, copper.pbc, stress=True)
        assert energy == pytest.approx(expected.get_potential_energy())
        np.testing.assert_allclose(forces, expected.get_forces())
        assert calculator.calls == calls
    system.reset()
    system.compute(copper.numbers, copper.positions, copper.cell.array, copper.pbc, stress=True)
    assert calculator.calls == 4


def test_elements_that_a_calculator_declares() -> None:
    name = f"{Path(__file__)}:Program"
    with pytest.raises(InputError, match=r"does not know Ni"):
        get_engine(f"ase:{name}").check_elements(["Cu", "Ni"])
    assert load(name, CPU).elements == {13, 29}
    assert load(f"{Path(__file__)}:Moody", CPU).elements == ALL_ELEMENTS, "which says nothing"


@pytest.mark.skipif(importlib.util.find_spec("atomate2") is None, reason="atomate2 is not installed")
def test_names_of_atomate2() -> None:
    assert load("CHGNet", CPU).name == "CHGNetCalculator (CHGNet)"
    with pytest.raises(InputError, match="ASE or atomate2 has none of that name"):
        load("nope", CPU)


def test_importing_the_adapter_needs_no_atomate2() -> None:
    code = "import sys, tachylite.engines.potentials.ase_calculator; print('atomate2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
