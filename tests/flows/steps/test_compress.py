"""The equation of state of a relaxed structure, beside that of ASE from energies."""

from pathlib import Path

import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.eos import EquationOfState
from ase.units import kJ
from jobflow import run_locally

from tachylite.engines.workdir import use_workdir
from tachylite.flows import AmorphousMaker
from tachylite.schemas import Material, Protocol, State
from tachylite.schemas.steps.compress import CompressResult
from tachylite.stores import open_store

CRYSTAL = State.from_atoms(bulk("Cu", cubic=True))


def compress(folder: Path, fractions: list[float]) -> Material:
    steps = [{"kind": "relax", "name": "crystal"}, {"kind": "compress", "fractions": fractions}]
    protocol = Protocol.model_validate({"name": "compression", "steps": steps})
    flow = AmorphousMaker(engine="ase:EMT", protocol=protocol).make([CRYSTAL])
    with use_workdir(folder):
        responses = run_locally(flow, store=open_store(folder / "store"), log=False, raise_immediately=True)
    material = responses[flow.output[0].uuid][1].output
    assert isinstance(material, Material)
    return material


def bulk_modulus_from_energies() -> float:
    """In GPa, by ASE's fit of the energies of a perfect crystal."""
    volumes, energies = [], []
    for length in (3.52, 3.55, 3.58, 3.61, 3.64):
        atoms = bulk("Cu", a=length)
        atoms.calc = EMT()
        volumes.append(atoms.get_volume())
        energies.append(atoms.get_potential_energy())
    _, _, modulus = EquationOfState(volumes, energies, eos="birchmurnaghan").fit()
    return float(modulus / kJ * 1e24)


def test_copper_is_as_stiff_as_its_energies_say(tmp_path: Path) -> None:
    (result,) = compress(tmp_path, [0.97, 0.98, 0.99, 1.0, 1.01, 1.02]).of_kind(CompressResult)
    assert result.status == "completed"
    assert result.bulk_modulus_gpa is not None
    assert result.bulk_modulus_gpa.value == pytest.approx(bulk_modulus_from_energies(), rel=0.02)
    assert result.volume_a3 is not None
    assert result.volume_a3.value == pytest.approx(CRYSTAL.volume_a3, rel=0.02)
    assert [point.pressure_gpa > 0 for point in result.points] == [True] * 3 + [False] * 3
    assert result.final is not None


def test_volumes_that_do_not_enclose_zero_pressure_are_refused(tmp_path: Path) -> None:
    material = compress(tmp_path, [0.9, 0.92, 0.94, 0.96])
    (failure,) = material.failures
    assert failure.stage == "compress"
    assert "do not enclose zero; widen fractions" in failure.reason
