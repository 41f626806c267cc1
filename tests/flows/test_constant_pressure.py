"""Steps at constant pressure, and at constant volume after them, from a formula to the material."""

from pathlib import Path

import pytest

from tachylite.engines import get_engine
from tachylite.flows import run_amorphous
from tachylite.physics.thermodynamics.energies import density
from tachylite.schemas import Protocol
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.ramp import RampResult
from tachylite.stores import load_trajectory, open_store

PROTOCOL = Protocol.model_validate(
    {
        "name": "pressure",
        "timestep_fs": 4.0,
        "record_every": 20,
        "packing": {"n_atoms": 48},
        "steps": [
            {"kind": "hold", "name": "melt", "temperature_k": 90, "time_ps": 4, "pressure_gpa": 0.05},
            {"kind": "ramp", "name": "quench", "temperature_k": 30, "time_ps": 3, "hold_ps": 2, "pressure_gpa": 0.05},
            {"kind": "hold", "name": "fixed", "time_ps": 1, "record": "positions"},
        ],
    }
)


def test_volume_density_and_response_come_from_the_run(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    engine = get_engine("lennard-jones")
    (material,) = run_amorphous(["Ar"], protocol=PROTOCOL, engine=engine, store=store, workdir=tmp_path / "work")
    melt, quench, fixed = (material.result(name) for name in ("melt", "quench", "fixed"))
    assert isinstance(melt, HoldResult)
    assert isinstance(quench, RampResult)
    assert isinstance(fixed, HoldResult)
    assert melt.run is not None
    assert melt.volume_a3 == melt.run.last.volume_a3
    assert melt.volume_a3 is not None
    assert melt.volume_a3.error > 0
    assert melt.density_g_cm3 is not None
    masses = melt.run.final.atoms.get_masses()
    assert melt.density_g_cm3.value == pytest.approx(density(masses, melt.volume_a3.value))
    assert melt.response is not None
    assert melt.response.compressibility_per_gpa.value > 0
    trajectory = load_trajectory(store, str(melt.run.trajectory_id))
    assert trajectory.forces is not None
    assert len({frame.volume_a3 for frame in map(trajectory.frame, range(5))}) == 5

    assert quench.transition is not None
    assert quench.transition.constant == "pressure"
    assert quench.transition.volume is not None, "the kink is looked for in the volume too"
    assert quench.heat_capacity is None, "that is at constant volume"
    assert quench.response is not None
    assert quench.volume_a3 is not None
    assert quench.volume_a3.value < melt.volume_a3.value

    assert fixed.run is not None
    assert fixed.run.volume_a3 == pytest.approx(quench.volume_a3.value), "it starts at the mean volume"
    assert fixed.volume_a3 is not None
    assert fixed.volume_a3.error == quench.volume_a3.error
    assert fixed.response is None
    assert load_trajectory(store, str(fixed.run.trajectory_id)).forces is None
