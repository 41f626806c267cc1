"""A protocol of one's own, in YAML alone: two cooling rates from one melt, and both glasses annealed."""

from pathlib import Path

import pytest

from tachylite.configs import load_protocol
from tachylite.engines import get_engine
from tachylite.flows import run_amorphous
from tachylite.schemas import Material
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.ramp import RampResult
from tachylite.schemas.steps.relax import RelaxResult
from tachylite.schemas.steps.snapshots import SnapshotsResult
from tachylite.stores import find_materials, load_trajectory, open_store
from tachylite.stores.tables import find_rows

pytestmark = pytest.mark.slow

YAML = """
description: Argon glasses of two cooling rates, annealed at one temperature.
timestep_fs: 4.0
record_every: 5
packing: {n_atoms: 32}
steps:
  - {kind: hold, name: melt, temperature_k: 100, time_ps: 0.4}
  - {kind: ramp, name: fast, from: melt, temperature_k: 20, time_ps: 0.2, hold_ps: 0.1}
  - {kind: ramp, name: slow, from: melt, temperature_k: 20, time_ps: 0.8, hold_ps: 0.1}
  - {kind: hold, name: anneal, from: [fast, slow], temperature_k: 35, time_ps: 0.8}
  - {kind: relax, name: glass}
  - {kind: snapshots, name: states, from: anneal, count: 2, interval_ps: 0.2}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def material(folder: Path) -> Material:
    (folder / "two-rates.yaml").write_text(YAML, encoding="utf-8")
    (material,) = run_amorphous(
        ["Ar"],
        protocol=load_protocol(folder / "two-rates.yaml"),
        engine=get_engine("lennard-jones"),
        store=open_store(folder / "store"),
        workdir=folder / "work",
    )
    return material


def test_both_glasses_come_from_one_melt_at_their_own_rates(material: Material) -> None:
    assert material.status == "completed", material.failures
    assert material.protocol.name == "two-rates"
    melt, fast, slow = (material.result(name) for name in ("melt", "fast", "slow"))
    assert isinstance(fast, RampResult)
    assert isinstance(slow, RampResult)
    assert fast.source == slow.source == "melt"
    assert fast.cooling_rate_k_s == pytest.approx(80 / 0.2e-12)
    assert slow.cooling_rate_k_s == pytest.approx(80 / 0.8e-12)
    assert fast.run is not None
    assert slow.run is not None
    assert (fast.run.steps, slow.run.steps) == (50 + 25, 200 + 25)
    assert fast.run.final != slow.run.final
    assert melt.final is not None


def test_each_glass_is_annealed_relaxed_and_photographed(material: Material) -> None:
    assert [(result.name, result.source) for result in material.results] == [
        ("melt", None),
        ("fast", "melt"),
        ("slow", "melt"),
        ("anneal-fast", "fast"),
        ("anneal-slow", "slow"),
        ("glass-fast", "anneal-fast"),
        ("glass-slow", "anneal-slow"),
        ("states-fast", "anneal-fast"),
        ("states-slow", "anneal-slow"),
    ]
    anneals = [material.result(f"anneal-{rate}") for rate in ("fast", "slow")]
    assert [anneal.temperature_k for anneal in anneals] == [35, 35]
    for anneal in anneals:
        assert isinstance(anneal, HoldResult)
        assert anneal.run is not None
        assert anneal.run.last.temperature_k.value == pytest.approx(35, abs=8)
    for rate in ("fast", "slow"):
        glass, states = material.result(f"glass-{rate}"), material.result(f"states-{rate}")
        assert isinstance(glass, RelaxResult)
        assert isinstance(states, SnapshotsResult)
        assert glass.formation_energy_ev_per_atom is not None
        assert 0 < glass.formation_energy_ev_per_atom < 0.03, "above the crystal of argon, bound by 0.09 eV"
        assert states.formation_energy_ev_per_atom is not None
        assert len(states.snapshots) == 2
        # the last snapshot and the relaxed glass are one inherent structure
        assert states.snapshots[-1].formation_energy_ev_per_atom == pytest.approx(
            glass.formation_energy_ev_per_atom, abs=1e-3
        )


def test_another_process_finds_all_of_it_in_the_store(material: Material, folder: Path) -> None:
    store = open_store(folder / "store", create=False)
    (found,) = find_materials(store, formula="Ar", where=["glass.formation_energy_ev_per_atom>0"])
    assert found == material
    for result in material.of_kind(RampResult):
        (trajectory_id,) = result.trajectory_ids
        assert load_trajectory(store, trajectory_id).n_frames == {"fast": 15, "slow": 45}[result.name]
    (row,) = find_rows(store, protocol="two-rates")
    for rate, ps in (("fast", 0.2), ("slow", 0.8)):
        assert row[f"{rate}_cooling_rate_k_s"] == pytest.approx(80e12 / ps)
        assert row[f"glass-{rate}_formation_energy_ev_per_atom"] > 0
        assert row[f"anneal-{rate}_density_g_cm3"] == pytest.approx(row["melt_density_g_cm3"]), "one volume for all"
