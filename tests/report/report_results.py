"""Protocol, Arrhenius fit and amorphous limit of a synthetic material."""

import numpy as np
from tests.report.report_pieces import ANNEALS, relaxation

from tachylite.schemas import Activation, AmorphousLimit, Interval, Measured, Protocol, Snapshot
from tachylite.units import KB_EV


def protocol() -> Protocol:
    return Protocol.model_validate(
        {
            "name": "zheng2024",
            "description": "Liquid at 5000 K and states below, each at its own volume of zero virial pressure.",
            "doi": "10.1038/s41524-024-01469-2",
            "pressure": "virial",
            "melt": {"temperature_k": 5000},
            "anneal": {"temperatures_k": list(ANNEALS)},
            "quench": {},
            "snapshots": {"count": 5},
        }
    )


def activation(species: str, energy: float, d0: float) -> Activation:
    spread = 0.11
    beta = 1 / (KB_EV * np.array(ANNEALS))
    inverse = np.linalg.inv(np.array([[len(beta), -beta.sum()], [-beta.sum(), (beta**2).sum()]])) * spread**2
    room = float(np.exp(np.log(d0) - energy / (KB_EV * 300)))
    return Activation(
        species=species,
        activation_energy_ev=Measured(value=energy, error=float(np.sqrt(inverse[1, 1]))),
        ln_d0=Measured(value=float(np.log(d0)), error=float(np.sqrt(inverse[0, 0]))),
        covariance=float(inverse[0, 1]),
        temperatures_k=list(ANNEALS),
        extrapolated_300k_cm2_s=room,
        extrapolated_300k_interval_cm2_s=Interval(low=room / 6, high=room * 6),
    )


def limit() -> AmorphousLimit:
    energies = (-2.612, -2.598, -2.641, -2.607, -2.623)
    snapshots = [
        Snapshot(time_fs=2000.0 * (k + 1), relaxation=relaxation(e - 3.1), formation_energy_ev_per_atom=e)
        for k, e in enumerate(energies)
    ]
    return AmorphousLimit(
        snapshots=snapshots,
        formation_energy_ev_per_atom=min(energies),
        mean_formation_energy_ev_per_atom=Measured(value=-2.6162, error=0.0074),
        above_crystal_ev_per_atom=0.127,
        reference_energies_ev_per_atom={"Li": -1.9041, "O": -4.9263, "P": -5.4081},
    )
