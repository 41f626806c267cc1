"""Synthetic materials: completed, failed as a vapour, partial."""

from datetime import UTC, datetime

import numpy as np
import pytest
from tests.report.report_pieces import N_ATOMS, PROVENANCE, Case, relaxation, run, trajectory
from tests.report.report_results import (
    ANNEALS,
    activation,
    elasticity,
    glass,
    head,
    hold,
    limit,
    protocol,
    quench,
    skipped,
    volume_search,
)

from tachylite.analysis.series import expansions_of
from tachylite.schemas import Failure, Material, Measured, Result
from tachylite.schemas.material import Activation
from tachylite.schemas.steps.ramp import RampResult
from tachylite.schemas.steps.snapshots import Snapshot, SnapshotsResult
from tachylite.schemas.steps.volume import VolumeResult, VolumeSample
from tachylite.units import GPA_PER_EV_A3, KB_EV

RATES = {"Li": (0.42, 2.1e-3), "O": (0.95, 3.0e-3), "P": (1.15, 2.6e-3)}
VOLUMES = dict(zip(ANNEALS, (12.7, 13.1, 13.9), strict=True))


def rates_at(temperature: float) -> dict[str, float | None]:
    """Diffusivities in cm^2/s, a little off the Arrhenius law; that of P at 1500 K is too small to be measured."""
    rates: dict[str, float | None] = {
        species: float(d0 * np.exp(-energy / (KB_EV * temperature))) * (1.06 if temperature == 2000 else 0.98)
        for species, (energy, d0) in RATES.items()
    }
    return rates | ({"P": None} if temperature == 1500 else {})


@pytest.fixture(scope="session")
def phosphate_case() -> Case:
    """Li3PO4, completed: melt at 5000 K, three anneals, a glass with its moduli, five snapshots."""
    results: list[Result] = [
        volume_search("melt-volume", 15.92),
        hold("melt", 15.92, {"Li": 9.34e-4, "O": 4.21e-4, "P": 3.02e-4}),
        *(volume_search(f"anneal-volume-{t:g}K", volume) for t, volume in VOLUMES.items()),
        *(hold(f"anneal-{t:g}K", volume, rates_at(t)) for t, volume in VOLUMES.items()),
        quench(),
        glass(),
        elasticity(),
        limit(),
    ]
    refused = Activation(
        species="P",
        step="anneal",
        activation_energy_ev=None,
        ln_d0=None,
        temperatures_k=[2000, 2500],
        reason="P diffuses measurably at 2 of 3 temperatures; three are needed",
    )
    material = Material(
        material_id="6f0e8a1c2b3d4e5f",
        formula="Li3PO4",
        elements=["Li", "O", "P"],
        n_atoms=N_ATOMS,
        status="completed",
        failures=[],
        results=results,
        activations=[activation("Li", *RATES["Li"]), activation("O", *RATES["O"]), refused],
        expansions=expansions_of(results),
        protocol=protocol(),
        provenance=PROVENANCE,
        created_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
    )
    ramp = np.concatenate([np.linspace(5000, 300, 2500), np.full(1500, 300.0)])
    trajectories = {f"anneal-{t:g}K": trajectory(np.full(2000, t), -4.9, 0.1, int(t)) for t in ANNEALS}
    trajectories |= {
        "melt": trajectory(np.full(10_000, 5000.0), -4.9, 0.1, 1),
        "quench": trajectory(ramp, -4.9, 0.1, 2),
    }
    return Case(material, trajectories)


@pytest.fixture(scope="session")
def vapour_case(phosphate_case: Case) -> Case:
    """The same under total pressure: no liquid at 5000 K, so that nothing after the first search is there."""
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
    failed = {"status": "failed", "reason": reason, "vapour": True}
    search = VolumeResult(pressure_convention="total", samples=samples, **head("melt-volume") | failed)
    material = phosphate_case.material.model_copy(
        update={
            "status": "failed",
            "failures": [Failure(stage="melt-volume", reason=reason)],
            "results": [search, *(skipped(branch.name, reason) for branch in protocol().branches[1:])],
            "activations": [],
            "expansions": [],
            "protocol": protocol().model_copy(update={"pressure": "total"}),
        }
    )
    return Case(material)


@pytest.fixture(scope="session")
def partial_case(phosphate_case: Case) -> Case:
    """A melt whose quench blew up and whose snapshots have no references; no trajectory is at hand."""
    reason = "temperature 41200 K at step 812"
    blown_up = {"status": "failed", "reason": reason}
    run_that_failed = run("quench to 300 K", 5000, "quench", end=300).model_copy(update=blown_up)
    ramp = RampResult(
        start_temperature_k=5000, cooling_rate_k_s=9.4e14, run=run_that_failed, **head("quench") | blown_up
    )
    no_reference = "no snapshot has both converged and references to compare with"
    no_limit = SnapshotsResult(
        snapshots=[
            Snapshot(time_fs=2000.0, relaxation=relaxation(-5.7), formation_energy_ev_per_atom=None),
            Snapshot(time_fs=4000.0, relaxation=relaxation(-5.6, converged=False), formation_energy_ev_per_atom=None),
        ],
        **head("amorphous-limit") | {"status": "failed", "reason": no_reference},
    )
    melted = [phosphate_case.material.result("melt-volume"), phosphate_case.material.result("melt")]
    material = phosphate_case.material.model_copy(
        update={
            "status": "partial",
            "failures": [
                Failure(stage="quench", reason=reason),
                Failure(stage="amorphous-limit", reason=no_reference),
                Failure(stage="reference P", reason="force 0.31 eV/Å after 500 steps, more than 0.05"),
            ],
            "results": [*melted, ramp, skipped("glass", reason), skipped("elasticity", reason), no_limit],
            "activations": [],
            "expansions": [],
        }
    )
    return Case(material)
