"""The whole protocol on argon: quick, and every stage real."""

from pathlib import Path
from typing import Any

import pytest
from jobflow import JobStore, run_locally
from pymatgen.core import Lattice, Structure

from tachylite.engines import get_engine
from tachylite.engines.base import Progress, progress_listener
from tachylite.engines.packmol import pack
from tachylite.engines.workdir import use_workdir
from tachylite.flows import AmorphousMaker, AnnealMaker, EquilibriumVolumeMaker, MeltMaker, QuenchMaker, run_amorphous
from tachylite.schemas import Material, Protocol
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.ramp import RampResult
from tachylite.schemas.steps.relax import RelaxResult
from tachylite.schemas.steps.snapshots import SnapshotsResult
from tachylite.schemas.steps.volume import VolumeResult, VolumeSearch
from tachylite.stores import find_materials, load_trajectory, open_store

SEARCH = {
    "kind": "volume",
    "equilibrate_ps": 1.0,
    "sample_ps": 2.0,
    "pressure_tolerance_gpa": 0.03,
    "volume_tolerance": 0.2,
    "energy_drift_tolerance": 0.05,
}
ARGON = Protocol.model_validate(
    {
        "name": "argon",
        "pressure": "total",
        "timestep_fs": 8.0,
        "record_every": 5,
        "packing": {"n_atoms": 64},
        "steps": [
            {**SEARCH, "name": "melt-volume", "temperature_k": 74},
            {"kind": "hold", "name": "melt", "time_ps": 4.0},
            {**SEARCH, "name": "anneal-volume", "temperature_k": [65, 72]},
            {"kind": "hold", "name": "anneal", "time_ps": 2.0},
            {"kind": "ramp", "name": "quench", "from": "melt", "temperature_k": 20, "time_ps": 2.0, "hold_ps": 1.0},
            {"kind": "relax", "name": "glass"},
            {"kind": "snapshots", "name": "amorphous-limit", "from": "melt", "count": 2, "interval_ps": 1.0},
        ],
    }
)
CAREFUL = ARGON.model_copy(
    update={
        "steps": [
            VolumeSearch(
                name="volume",
                temperature_k=[80],
                equilibrate_ps=4.0,
                sample_ps=8.0,
                pressure_tolerance_gpa=0.008,
                volume_tolerance=0.03,
                max_attempts=25,
                energy_drift_tolerance=0.05,
            )
        ],
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
    folder: Path, protocol: Protocol, starts: list[Structure], temperatures_k: list[float]
) -> list[VolumeResult]:
    search = EquilibriumVolumeMaker(engine="lennard-jones", protocol=protocol).make(starts, temperatures_k)
    store = open_store(folder / "store")
    with use_workdir(folder):
        run_locally(search, store=store, log=False, raise_immediately=True)
    results: list[VolumeResult] = search.output["results"].resolve(store)
    return results


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Material, Path]:
    """The material of a campaign that nothing interrupts, and the folder of its store and of its work."""
    folder = tmp_path_factory.mktemp("whole")
    (material,) = campaign(open_store(folder / "store"), folder / "work")
    return material, folder


@pytest.mark.slow
def test_from_a_formula_to_a_material_that_another_process_finds(whole: tuple[Material, Path]) -> None:
    material, folder = whole
    assert material.status == "completed", material.failures
    melt, quench, glass, limit = (material.result(name) for name in ("melt", "quench", "glass", "amorphous-limit"))
    assert isinstance(melt, HoldResult)
    assert melt.run is not None
    (diffusivity,) = melt.diffusivities
    assert diffusivity.diffusivity_cm2_s is None or 1e-6 < diffusivity.diffusivity_cm2_s < 1e-3
    assert [(anneal.name, anneal.temperature_k) for anneal in material.results_of("anneal")] == [
        ("anneal-65K", 65),
        ("anneal-72K", 72),
    ]
    assert melt.density_g_cm3 is not None
    assert 1.0 < melt.density_g_cm3.value < 1.6, "liquid argon has 1.4 g/cm^3 at 87 K"
    assert isinstance(quench, RampResult)
    assert quench.cooling_rate_k_s == pytest.approx(54 / 2e-12)
    assert isinstance(glass, RelaxResult)
    assert glass.above_crystal_ev_per_atom is not None
    assert 0 < glass.above_crystal_ev_per_atom < 0.02, "a glass lies above its crystal"
    assert isinstance(limit, SnapshotsResult)
    assert limit.formation_energy_ev_per_atom == pytest.approx(limit.above_crystal_ev_per_atom, abs=2e-3), (
        "the element's reference is its crystal"
    )
    store = open_store(folder / "store")
    found = find_materials(store, formula="Ar")
    assert [m.material_id for m in found] == [material.material_id]
    assert found[0] == material
    trajectory = load_trajectory(store, str(melt.run.trajectory_id))
    assert trajectory.n_frames == 100
    assert not list((folder / "work").glob("*/run-*")), "finished work is cleared away"


class Interruption(BaseException):
    """Stands for Ctrl-C."""


def without_times(material: Material) -> dict[str, Any]:
    """All of a document except when it was made, and how long its runs took."""
    return material.model_dump(exclude={"created_at": True, "results": {"__all__": {"run": {"wall_time_s"}}}})


@pytest.mark.slow
def test_an_interrupted_campaign_resumes_to_the_same_material(whole: tuple[Material, Path], tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    for label in ("melt at 74 K", "quench to 20 K"):

        def stop(progress: Progress, label: str = label) -> None:
            if progress.label == label and progress.done > 150:
                raise Interruption

        token = progress_listener.set(stop)
        try:
            with pytest.raises(Interruption):
                campaign(store, tmp_path / "work")
        finally:
            progress_listener.reset(token)
    (in_parts,) = campaign(store, tmp_path / "work")
    assert without_times(in_parts) == without_times(whole[0])
    melt = in_parts.result("melt")
    assert melt.final is not None
    assert melt.trajectory_ids
    assert len(find_materials(store)) == 1, "nothing is stored twice"


@pytest.mark.slow
def test_one_hopeless_member_does_not_take_the_cohort_along(tmp_path: Path) -> None:
    """Far above its critical point argon has no liquid; beside it a colder search goes on."""
    liquid, gas = search_volumes(tmp_path, ARGON, [FCC * (2, 2, 2)], [70, 400])
    assert liquid.status == "completed"
    assert gas.status == "failed"
    assert gas.vapour
    assert gas.reason is not None
    assert "vapour" in gas.reason
    assert len(gas.samples) >= 3, "what was reached is kept"


@pytest.mark.slow
def test_liquid_argon_is_found_from_dense_and_from_wide(tmp_path: Path) -> None:
    """80 packed atoms at 74 K, 0.6 times the critical temperature of this potential: one liquid, from wherever."""
    starts = [pack({"Ar": 80}, factor * LIQUID_A3 * 80, seed=1).structure for factor in (0.5, 2.2)]
    for liquid in search_volumes(tmp_path, CAREFUL, starts, [74.0]):
        assert liquid.status == "completed", liquid.reason
        assert liquid.volume_a3 is not None
        assert liquid.volume_a3.value / liquid.n_atoms == pytest.approx(LIQUID_A3, rel=0.03)
        assert liquid.volume_a3.error / liquid.volume_a3.value < 0.03


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
