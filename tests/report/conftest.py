"""Synthetic materials: completed, failed as a vapour, partial."""

from datetime import UTC, datetime

import numpy as np
import pytest
from tests.report.report_pieces import (
    ANNEALS,
    N_ATOMS,
    PROVENANCE,
    Case,
    analysis,
    melt,
    phosphate,
    relaxation,
    run,
    trajectory,
)
from tests.report.report_results import activation, limit, protocol

from tachylite.schemas import (
    Activation,
    AmorphousLimit,
    Equilibrium,
    Failure,
    Glass,
    Material,
    Measured,
    Melt,
    Snapshot,
    VolumeSample,
)
from tachylite.units import GPA_PER_EV_A3, KB_EV


@pytest.fixture(scope="session")
def phosphate_case() -> Case:
    """Li3PO4, completed: melt at 5000 K, three anneals, a glass, five snapshots."""
    rates = {"Li": (0.42, 2.1e-3), "O": (0.95, 3.0e-3), "P": (1.15, 2.6e-3)}
    volumes = (13.9, 13.1, 12.7)
    anneals = []
    for temperature, volume in zip(ANNEALS, volumes, strict=True):
        values: dict[str, float | None] = {
            species: float(d0 * np.exp(-energy / (KB_EV * temperature))) * (1.06 if temperature == 2000 else 0.98)
            for species, (energy, d0) in rates.items()
        }
        if temperature == 1500:
            values["P"] = None
        anneals.append(melt(temperature, volume, values, f"anneal-{temperature:g}"))
    at_melt: dict[str, float | None] = {"Li": 9.34e-4, "O": 4.21e-4, "P": 3.02e-4}
    glass_run = run("Li3PO4 quench", 5000, "quench", end=300)
    refused = Activation(
        species="P",
        activation_energy_ev=None,
        ln_d0=None,
        temperatures_k=[2500, 2000],
        reason="P diffuses measurably at 2 of 3 temperatures; three are needed",
    )
    material = Material(
        material_id="6f0e8a1c2b3d4e5f",
        formula="Li3PO4",
        elements=["Li", "O", "P"],
        n_atoms=N_ATOMS,
        status="completed",
        failures=[],
        melt=melt(5000, 15.92, at_melt, "melt"),
        anneals=anneals,
        activations=[activation("Li", *rates["Li"]), activation("O", *rates["O"]), refused],
        glass=Glass(
            final_temperature_k=300,
            cooling_rate_k_s=9.4e14,
            run=glass_run,
            relaxation=relaxation(-5.741),
            structure=analysis(300),
            density_g_cm3=2.213,
            formation_energy_ev_per_atom=-2.655,
            above_crystal_ev_per_atom=0.113,
        ),
        amorphous_limit=limit(),
        protocol=protocol(),
        provenance=PROVENANCE,
        created_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
    )
    ramp = np.concatenate([np.linspace(5000, 300, 2500), np.full(1500, 300.0)])
    trajectories = {f"anneal-{t:g}": trajectory(np.full(2000, t), -4.9, 0.1, int(t)) for t in ANNEALS}
    trajectories |= {
        "melt": trajectory(np.full(10_000, 5000.0), -4.9, 0.1, 1),
        "quench": trajectory(ramp, -4.9, 0.1, 2),
    }
    return Case(material, trajectories)


@pytest.fixture(scope="session")
def vapour_case(phosphate_case: Case) -> Case:
    """The same under total pressure: no liquid at 5000 K."""
    found = phosphate_case.material
    assert found.melt is not None
    reason = "a vapour: no tension up to 41.3 Å³ per atom, 2.6 times the volume at which the virial vanishes"
    pressures = ((8, 37.8), (10, 21.9), (12, 13.1), (16, 4.0), (22, 1.2), (41.3, 0.4))
    samples = [
        VolumeSample(
            volume_a3=v * N_ATOMS,
            pressure_gpa=Measured(value=p, error=0.4),
            virial_gpa=Measured(value=p - KB_EV * 5000 / v * GPA_PER_EV_A3, error=0.4),
            temperature_k=Measured(value=5000, error=11.0),
            energy_ev_per_atom=Measured(value=-4.6, error=0.006),
            energy_drift=2e-4,
            steps=2500,
            attempt=max(0, k - 2),
            purpose="scan" if k < 3 else "bracket",
            expanded=True,
        )
        for k, (v, p) in enumerate(pressures)
    ]
    search = Equilibrium(
        status="failed",
        reason=reason,
        vapour=True,
        formula="Li3PO4",
        n_atoms=N_ATOMS,
        temperature_k=5000,
        pressure_convention="total",
        samples=samples,
        state=phosphate(16.0),
    )
    material = found.model_copy(
        update={
            "status": "failed",
            "failures": [
                Failure(stage="melt at 5000 K", reason=reason),
                Failure(stage="quench", reason="no melt to quench"),
            ],
            "melt": Melt(temperature_k=5000, equilibrium=search),
            "anneals": [],
            "activations": [],
            "glass": None,
            "amorphous_limit": None,
            "protocol": found.protocol.model_copy(update={"pressure": "total"}),
        }
    )
    return Case(material)


@pytest.fixture(scope="session")
def partial_case(phosphate_case: Case) -> Case:
    """A melt whose quench blew up and whose snapshots have no references; no trajectory is at hand."""
    found = phosphate_case.material
    assert found.glass is not None
    assert found.amorphous_limit is not None
    blown = found.glass.run.model_copy(update={"status": "failed", "reason": "temperature 41200 K at step 812"})
    snapshots = [
        Snapshot(time_fs=2000.0, relaxation=relaxation(-5.7), formation_energy_ev_per_atom=None),
        Snapshot(time_fs=4000.0, relaxation=relaxation(-5.6, converged=False), formation_energy_ev_per_atom=None),
    ]
    no_limit = AmorphousLimit(
        snapshots=snapshots,
        formation_energy_ev_per_atom=None,
        mean_formation_energy_ev_per_atom=None,
        reference_energies_ev_per_atom={},
        reason="the reference of P did not converge",
    )
    material = found.model_copy(
        update={
            "status": "partial",
            "failures": [Failure(stage="quench", reason="temperature 41200 K at step 812")],
            "anneals": [],
            "activations": [],
            "glass": Glass(final_temperature_k=300, cooling_rate_k_s=9.4e14, run=blown),
            "amorphous_limit": no_limit,
        }
    )
    return Case(material)
