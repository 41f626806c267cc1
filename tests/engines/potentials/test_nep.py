"""Neuroevolution potentials: the file is understood, calorine reads the same, its answers arrive."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import bulk
from tests.engines.potentials.sample_structures import melt, state_of
from tests.reference_data import reference

from tachylite.engines import get_engine
from tachylite.engines.potentials import nep
from tachylite.engines.potentials.nep_file import read_nep
from tachylite.errors import InputError, MissingPackageError
from tachylite.units import GPA_PER_EV_A3

UNEP = reference("models/UNEP-v1.txt")
CPU = torch.device("cpu")

needs_unep = pytest.mark.reference("models/UNEP-v1.txt")


def small(path: Path, seed: int = 0, kind: str = "nep4", **header: str) -> Path:
    """A potential of copper and zirconium with random numbers, five radial and two angular functions."""
    lines = {"cutoff": "6 4 50 50", "n_max": "4 1", "basis_size": "3 3", "l_max": "2 0 0", "ANN": "4 0"} | header
    n_descriptors = 5 + 2 * 2
    count = 2 * 4 * (n_descriptors + 2) + 1 + 5 * 4 * 4 + 2 * 4 * 4 + n_descriptors
    numbers = 0.3 * np.random.default_rng(seed).standard_normal(count)
    head = [f"{kind} 2 Cu Zr", *(f"{name} {value}" for name, value in lines.items())]
    path.write_text("\n".join([*head, *(f"{x:.7e}" for x in numbers)]) + "\n")
    return path


def test_random_numbers_give_the_same_energies_here_and_in_calorine(tmp_path: Path) -> None:
    """Our reading of the file is checked against another code, and that code's against ours."""
    for seed in range(3):
        file = read_nep(small(tmp_path / "nep.txt", seed))
        assert file.pair_distance == pytest.approx(4.2)
        nep.check_pair_energies(nep.NepSystem(file.path), file)
        assert file.pair_energy("Cu", "Zr") == pytest.approx(file.pair_energy("Zr", "Cu"), abs=1e-14)
        assert abs(file.pair_energy("Cu", "Cu") - file.pair_energy("Zr", "Zr")) > 1e-3


@pytest.mark.parametrize("line", [8, 60, 94, 95, 96, 100, 150, 208, 212])
def test_a_file_that_is_misread_is_refused(line: int, tmp_path: Path) -> None:
    """One number of the network, the radial functions or the scaling is another one than calorine has."""
    file = read_nep(small(tmp_path / "nep.txt"))
    lines = file.path.read_text().splitlines()
    lines[line - 1] = f"{float(lines[line - 1]) + 0.5:.7e}"
    (tmp_path / "other.txt").write_text("\n".join(lines))
    changed = read_nep(tmp_path / "other.txt")
    with pytest.raises(InputError, match="is misread by calorine: pairs of its elements have"):
        nep.check_pair_energies(nep.NepSystem(file.path), changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2].rsplit("\n", 1)[0], "parameters instead of 210"),
        (lambda text: text + "0.0\n", "211 parameters instead of 210"),
        (lambda text: text.replace("nep4 2 Cu Zr", "nep3 2 Cu Zr"), "begins with 'nep3 2 Cu Zr' instead of nep4"),
        (lambda text: text.replace("nep4 2 Cu Zr", "nep4_charge1 2 Cu Zr"), "instead of nep4 or nep4_zbl"),
        (lambda text: text.replace("2 Cu Zr", "3 Cu Zr"), "begins with 'nep4 3 Cu Zr'"),
        (lambda text: text.replace("2 Cu Zr", "2 Cu Xx"), "Xx is no element"),
        (lambda text: text.replace("n_max", "nmax"), "n_max"),
        (lambda _: "", "no NEP potential"),
        (lambda _: "\x89PNG", "no NEP potential"),
    ],
)
def test_what_is_no_potential_is_refused_in_one_line(
    change: Callable[[str], str], message: str, tmp_path: Path
) -> None:
    path = small(tmp_path / "nep.txt")
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=message) as caught:
        nep.load(str(path), CPU)
    assert "\n" not in str(caught.value)
    assert "give a nep.txt of version 4" in str(caught.value)


def test_a_file_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="engine 'nep' needs a file: nep:PATH"):
        nep.load(None, CPU)
    with pytest.raises(InputError, match=r"cannot read NEP file .*nowhere.txt: No such file"):
        nep.load(str(tmp_path / "nowhere.txt"), CPU)
    path = small(tmp_path / "nep.txt")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match="pip install calorine"):
        nep.load(str(path), CPU)


def test_not_periodic_is_refused(tmp_path: Path) -> None:
    atoms = melt("CuZr", 2, 15.0, seed=0)
    atoms.pbc = [True, True, False]
    model = nep.load(str(small(tmp_path / "nep.txt")), CPU).potential
    assert model(state_of([atoms]))["energy"].isnan().all()


@needs_unep
def test_answers_are_those_of_calorine() -> None:
    from calorine.calculators import CPUNEP

    structures = [melt("Cu16Zr9", 2, 16.0, seed=0, closest=2.2), melt("NiAl", 3, 14.0, seed=1), bulk("W")]
    loaded = nep.load(str(UNEP), CPU)
    result = loaded.potential(state_of(structures))
    start = 0
    for index, atoms in enumerate(structures):
        atoms.calc = CPUNEP(str(UNEP))
        assert float(result["energy"][index]) == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
        np.testing.assert_allclose(result["forces"][start : start + len(atoms)], atoms.get_forces(), atol=1e-9)
        np.testing.assert_allclose(result["stress"][index], atoms.get_stress(voigt=False), atol=1e-11)
        start += len(atoms)
    assert len(loaded.elements) == 16
    assert loaded.sha256 == "8f97c30cc366c30e687a8672bd8d76e624a16caf4337b1277a44aa166c5bceb4"


@needs_unep
def test_metals_are_at_rest_where_they_are_measured() -> None:
    """At the measured volume (Kittel's table of crystals) a GGA pressure is small: 2 % of the volume, 3 GPa."""
    lattice = {"Cu": 3.61, "Al": 4.05, "Ni": 3.52}
    crystals = [bulk(symbol, "fcc", a=a) for symbol, a in lattice.items()]
    stress = nep.load(str(UNEP), CPU).potential(state_of(crystals))["stress"]
    assert (stress.diagonal(dim1=1, dim2=2).mean(dim=1) * GPA_PER_EV_A3).abs().max() < 3


@needs_unep
def test_elements_are_those_of_the_header() -> None:
    with pytest.raises(InputError, match="does not know Li, O"):
        get_engine(f"nep:{UNEP}").check_elements(["Cu", "Li", "O"])
    get_engine(f"nep:{UNEP}").check_elements(["Cu", "Zr", "W"])


def test_a_calculator_that_is_kept_gives_the_bits_of_a_new_one(tmp_path: Path) -> None:
    """So a run that goes on from a checkpoint, where all are new, ends as the run that was not interrupted."""
    path = small(tmp_path / "nep.txt")
    kept, random = nep.NepSystem(path), np.random.default_rng(0)
    atoms = bulk("Cu", cubic=True).repeat(2)
    atoms.numbers[:9] = 40
    for scale in (1.0, 0.8, 1.3, 1.0):
        cell = scale * atoms.cell.array
        positions = scale * atoms.positions + random.normal(0, 0.3, (32, 3))
        kept.reset()
        answers = [
            system.compute(atoms.numbers, positions, cell, atoms.pbc, stress=True)
            for system in (kept, nep.NepSystem(path))
        ]
        for own, new in zip(*answers, strict=True):
            assert np.array_equal(own, new)
