"""The whole protocol on argon: quick, and every stage real."""

from pathlib import Path

import pytest
from jobflow import JobStore, run_locally
from pymatgen.core import Lattice, Structure

from tachylite.engines import Progress, get_engine, progress_listener
from tachylite.engines.packmol import pack
from tachylite.engines.workdir import use_workdir
from tachylite.flows import AmorphousMaker, AnnealMaker, EquilibriumVolumeMaker, MeltMaker, QuenchMaker, run_amorphous
from tachylite.schemas import Equilibrium, Material, Protocol
from tachylite.schemas.protocol import VolumeSearch
from tachylite.stores import find_materials, load_trajectory, open_store

ARGON = Protocol.model_validate(
    {
        "name": "argon",
        "pressure": "total",
        "timestep_fs": 4.0,
        "record_every": 10,
        "packing": {"n_atoms": 64},
        "volume_search": {
            "equilibrate_ps": 1.0,
            "sample_ps": 2.0,
            "pressure_tolerance_gpa": 0.03,
            "volume_tolerance": 0.2,
            "energy_drift_tolerance": 0.05,
        },
        "melt": {"temperature_k": 80, "production_ps": 4.0},
        "anneal": {"temperatures_k": [65, 72], "production_ps": 2.0},
        "quench": {"final_temperature_k": 20, "ramp_ps": 2.0, "hold_ps": 1.0},
        "snapshots": {"count": 2, "interval_ps": 1.0},
    }
)
CAREFUL = ARGON.model_copy(
    update={
        "volume_search": VolumeSearch(
            equilibrate_ps=4.0,
            sample_ps=16.0,
            pressure_tolerance_gpa=0.006,
            volume_tolerance=0.02,
            max_attempts=25,
            energy_drift_tolerance=0.05,
        )
    }
)
LIQUID_A3 = 50.2
"""Volume per atom of zero pressure at 74 K: weighted mean of searches from different volumes."""
FCC = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.3), ["Ar"], [[0, 0, 0]])


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return open_store(tmp_path / "store")


def campaign(store: JobStore, folder: Path) -> list[Material]:
    engine = get_engine("lennard-jones", checkpoint_every=100)
    return run_amorphous(["Ar"], protocol=ARGON, engine=engine, store=store, workdir=folder, crystals={"Ar": FCC})


def search_volumes(
    folder: Path, protocol: Protocol, start: Structure, temperatures_k: list[float]
) -> list[Equilibrium]:
    search = EquilibriumVolumeMaker(engine="lennard-jones", protocol=protocol).make([start], temperatures_k)
    store = open_store(folder / "store")
    with use_workdir(folder):
        run_locally(search, store=store, log=False, raise_immediately=True)
    found: list[Equilibrium] = search.output.resolve(store)
    return found


@pytest.mark.slow
def test_from_a_formula_to_a_material_that_another_process_finds(store: JobStore, tmp_path: Path) -> None:
    (material,) = campaign(store, tmp_path / "work")
    assert material.status == "completed", material.failures
    assert material.melt is not None
    assert material.melt.run is not None
    (diffusivity,) = material.melt.diffusivities
    assert diffusivity.diffusivity_cm2_s is None or 1e-6 < diffusivity.diffusivity_cm2_s < 1e-3
    assert [a.temperature_k for a in material.anneals] == [65, 72]
    assert material.melt.density_g_cm3 is not None
    assert 1.0 < material.melt.density_g_cm3.value < 1.6, "liquid argon has 1.4 g/cm^3 at 87 K"
    assert material.glass is not None
    assert material.glass.cooling_rate_k_s == pytest.approx(60 / 2e-12)
    assert material.glass.above_crystal_ev_per_atom is not None
    assert 0 < material.glass.above_crystal_ev_per_atom < 0.02, "a glass lies above its crystal"
    assert material.amorphous_limit is not None
    assert material.amorphous_limit.formation_energy_ev_per_atom == pytest.approx(
        material.amorphous_limit.above_crystal_ev_per_atom, abs=2e-3
    ), "the element's reference is its crystal"
    found = find_materials(open_store(tmp_path / "store"), formula="Ar")
    assert [m.material_id for m in found] == [material.material_id]
    assert found[0] == material
    trajectory = load_trajectory(store, str(material.melt.run.trajectory_id))
    assert trajectory.n_frames == 100
    assert not list((tmp_path / "work").glob("*/run-*")), "finished work is cleared away"


class Interruption(BaseException):
    """Stands for Ctrl-C."""


@pytest.mark.slow
def test_an_interrupted_campaign_resumes_to_the_same_material(tmp_path: Path) -> None:
    whole = campaign(open_store(tmp_path / "a"), tmp_path / "work-a")
    store = open_store(tmp_path / "b")
    for label in ("production at 80 K", "quench to 20 K"):

        def stop(progress: Progress, label: str = label) -> None:
            if progress.label == label and progress.done > 150:
                raise Interruption

        token = progress_listener.set(stop)
        with pytest.raises(Interruption):
            campaign(store, tmp_path / "work-b")
        progress_listener.reset(token)
    parts = campaign(store, tmp_path / "work-b")
    for a, b in zip(whole, parts, strict=True):
        different = {"created_at", "melt", "anneals", "glass"}
        assert a.model_dump(exclude=different) == b.model_dump(exclude=different)
        assert a.melt is not None
        assert b.melt is not None
        assert a.melt.run is not None
        assert b.melt.run is not None
        assert a.melt.run.final == b.melt.run.final
        assert a.melt.run.trajectory_id == b.melt.run.trajectory_id
    assert len(find_materials(store)) == 1, "nothing is stored twice"


@pytest.mark.slow
def test_one_hopeless_member_does_not_take_the_cohort_along(tmp_path: Path) -> None:
    """Far above its critical point argon has no liquid; beside it a colder search goes on."""
    liquid, gas = search_volumes(tmp_path, ARGON, FCC * (2, 2, 2), [70, 400])
    assert liquid.status == "converged"
    assert gas.status == "failed"
    assert gas.vapour
    assert gas.reason is not None
    assert "vapour" in gas.reason
    assert len(gas.samples) >= 3, "what was reached is kept"


@pytest.mark.slow
@pytest.mark.parametrize("fraction", [0.5, 0.9, 1.6, 2.2])
def test_liquid_argon_is_found_from_every_volume(tmp_path: Path, fraction: float) -> None:
    """108 packed atoms at 74 K, 0.6 times the critical temperature of this potential: one liquid, from wherever."""
    packed = pack({"Ar": 108}, fraction * LIQUID_A3 * 108, seed=1).structure
    (found,) = search_volumes(tmp_path, CAREFUL, packed, [74.0])
    assert found.status == "converged", found.reason
    assert found.volume_a3 is not None
    assert found.volume_a3.value / found.n_atoms == pytest.approx(LIQUID_A3, rel=0.03)
    assert found.volume_a3.error / found.volume_a3.value < 0.03


def test_making_a_flow_changes_no_maker() -> None:
    for maker in (
        AmorphousMaker(protocol=ARGON),
        MeltMaker(protocol=ARGON),
        AnnealMaker(protocol=ARGON),
        QuenchMaker(protocol=ARGON),
    ):
        before = str(maker)
        maker.make([FCC])
        assert str(maker) == before
