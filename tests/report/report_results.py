"""Protocol, results of its steps, and Arrhenius fit of a synthetic material, with the numbers of a real one."""

from functools import cache
from typing import Any

import numpy as np
from tests.report.report_pieces import N_ATOMS, PROVENANCE, analysis, diffusivity, phosphate, relaxation, run

from tachylite.analysis.glass import measure_transition
from tachylite.physics.eos import BirchMurnaghan
from tachylite.readers.thermo import ThermoTable
from tachylite.schemas import Interval, Material, Measured, Protocol, Result
from tachylite.schemas.glass import AverageModulus, Elasticity, GlassTransition, HeatCapacity
from tachylite.schemas.material import Activation
from tachylite.schemas.steps import RESULTS
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.ramp import RampResult
from tachylite.schemas.steps.relax import RelaxResult
from tachylite.schemas.steps.snapshots import Snapshot, SnapshotsResult
from tachylite.schemas.steps.strain import StrainResult
from tachylite.schemas.steps.volume import EquationOfState, VolumeResult, VolumeSample
from tachylite.schemas.structure import Crystallinity
from tachylite.units import KB_EV

ANNEALS = (1500.0, 2000.0, 2500.0)


@cache
def protocol() -> Protocol:
    """The steps of zheng2024 at three temperatures, and between them a quench, its glass and the glass's moduli."""
    steps: list[dict[str, Any]] = [
        {"kind": "volume", "name": "melt-volume", "temperature_k": 5000},
        {"kind": "hold", "name": "melt"},
        {"kind": "volume", "name": "anneal-volume", "temperature_k": list(ANNEALS)},
        {"kind": "hold", "name": "anneal"},
        {"kind": "ramp", "name": "quench", "from": "melt"},
        {"kind": "relax", "name": "glass"},
        {"kind": "strain", "name": "elasticity"},
        {"kind": "snapshots", "name": "amorphous-limit", "from": "melt", "count": 5},
    ]
    return Protocol.model_validate(
        {
            "name": "zheng2024",
            "description": "Liquid at 5000 K and states below, each at its own volume of zero virial pressure.",
            "doi": "10.1038/s41524-024-01469-2",
            "pressure": "virial",
            "steps": steps,
        }
    )


def head(name: str) -> dict[str, Any]:
    """What a completed result of this name says of where it comes from."""
    branch = next(branch for branch in protocol().branches if branch.name == name)
    place = branch.model_dump(include={"name", "step", "variant", "source", "temperature_k"})
    return place | {"status": "completed", "formula": "Li3PO4", "n_atoms": N_ATOMS}


def skipped(name: str, reason: str) -> Result:
    """A result whose source is not there; like those of the flows it says why that one failed."""
    fields = head(name) | {"status": "skipped", "reason": reason}
    kind = protocol().step(fields["step"]).kind
    needed: dict[str, dict[str, Any]] = {
        "volume": {"pressure_convention": "total"},
        "ramp": {"start_temperature_k": 5000},
    }
    return RESULTS[kind](**fields, **needed.get(kind, {}))


def with_results(material: Material, *results: Result) -> Material:
    """The material with these results in place of those of the same names."""
    by_name = {result.name: result for result in results}
    changed = [by_name.get(result.name, result) for result in material.results]
    return material.model_copy(update={"results": changed})


def volume_search(name: str, volume: float, error: float = 0.31) -> VolumeResult:
    """A converged search: three scans, one bracket, two verifications along a known equation of state."""
    fields = head(name)
    temperature = fields["temperature_k"]
    rng = np.random.default_rng(int(temperature))
    modulus = 18.0 * (1.6 - temperature / 6000)
    eos = BirchMurnaghan(volume * N_ATOMS, modulus, 5.2, 0.0, 0.0, 0.0)
    purposes = ("scan", "scan", "scan", "bracket", "verification", "verification")
    volumes = N_ATOMS * np.array([0.8, 1.0, 1.2, 0.9, 0.985, 1.0]) * np.array([12.9] * 4 + [volume] * 2)
    pressures = [
        Measured(value=float(eos.pressure(v)) + 0.2 * rng.normal(), error=0.25 + 0.2 * rng.random()) for v in volumes
    ]
    samples = [
        VolumeSample(
            volume_a3=float(v),
            pressure_gpa=pressures[k],
            virial_gpa=pressures[k],
            temperature_k=Measured(value=temperature + 8 * rng.normal(), error=9.0),
            energy_ev_per_atom=Measured(value=-4.9 - 0.01 * k, error=0.0052),
            energy_drift=float(4e-4 * (1 + k)),
            steps=2500,
            attempt=max(0, k - 2),
            purpose=purpose,
            expanded=True,
        )
        for k, (v, purpose) in enumerate(zip(volumes, purposes, strict=True))
    ]
    of_zero_pressure = Measured(value=volume * N_ATOMS, error=error * N_ATOMS)
    return VolumeResult(
        pressure_convention="virial",
        volume_a3=of_zero_pressure,
        pressure_gpa=Measured(value=0.08, error=0.21),
        samples=samples,
        equation_of_state=EquationOfState(
            volume_a3=of_zero_pressure,
            bulk_modulus_gpa=Measured(value=modulus, error=1.3),
            bulk_modulus_derivative=Measured(value=5.2, error=0.8),
            fitted_volumes_a3=(float(volumes.min()), float(volumes.max())),
        ),
        state=phosphate(volume),
        **fields,
    )


def hold(name: str, volume: float, values: dict[str, float | None]) -> HoldResult:
    """A state at its volume, with diffusivities in cm^2/s by species; its trajectory has its name."""
    fields = head(name)
    temperature = fields["temperature_k"]
    return HoldResult(
        volume_a3=Measured(value=volume * N_ATOMS, error=0.31 * N_ATOMS),
        density_g_cm3=Measured(value=24.05 / volume, error=0.03),
        diffusivities=[diffusivity(species, temperature, value) for species, value in values.items()],
        structure=analysis(temperature),
        run=run(f"{name} at {temperature:g} K", temperature, name),
        **fields,
    )


def quench() -> RampResult:
    """A ramp from 5000 to 300 K along which a glass forms; its trajectory is named `quench`."""
    return RampResult(
        start_temperature_k=5000,
        cooling_rate_k_s=9.4e14,
        transition=transition(),
        heat_capacity=HeatCapacity.from_k_b_per_atom(Measured(value=3.02, error=0.11), "volume", "fluctuations", 300),
        structure=analysis(300),
        run=run("quench to 300 K", 5000, "quench", end=300),
        **head("quench"),
    )


def transition() -> GlassTransition:
    """The transition at 1400 K along a ramp of 5 ps."""
    temperature = np.linspace(5000, 300, 2500)
    slopes = 1.5 * KB_EV * (temperature - 1400) + KB_EV * np.maximum(temperature - 1400, 0)
    noise = np.random.default_rng(0).normal(0, 2e-3, temperature.size)
    times = np.arange(0.0, 2.0 * temperature.size, 2.0)
    table = ThermoTable(temperature, N_ATOMS * (slopes - 5.4 + noise), "potential", None, times)
    return measure_transition(table, N_ATOMS)


def glass() -> RelaxResult:
    return RelaxResult(
        density_g_cm3=2.213,
        formation_energy_ev_per_atom=-2.655,
        above_crystal_ev_per_atom=0.113,
        order=Crystallinity(crystalline=False, crystallinity=0.02, diffraction_contrast=2.1),
        relaxation=relaxation(-5.741),
        **head("glass"),
    )


def elasticity() -> StrainResult:
    def modulus(value: float, error: float) -> AverageModulus:
        return AverageModulus(voigt=value, reuss=value, hill=Measured(value=value, error=error))

    constants = Elasticity(
        formula="Li3PO4",
        n_atoms=N_ATOMS,
        strain=0.005,
        bulk_modulus_gpa=modulus(36.4, 2.0),
        shear_modulus_gpa=modulus(31.3, 1.5),
        young_modulus_gpa=Measured(value=73.1, error=3.2),
        poisson_ratio=Measured(value=0.167, error=0.02),
        provenance=PROVENANCE,
    )
    return StrainResult(elasticity=constants, state=relaxation(-5.741).state, **head("elasticity"))


def limit() -> SnapshotsResult:
    energies = (-2.612, -2.598, -2.641, -2.607, -2.623)
    snapshots = [
        Snapshot(time_fs=2000.0 * (k + 1), relaxation=relaxation(e - 3.1), formation_energy_ev_per_atom=e)
        for k, e in enumerate(energies)
    ]
    return SnapshotsResult(
        snapshots=snapshots,
        formation_energy_ev_per_atom=min(energies),
        mean_formation_energy_ev_per_atom=Measured(value=-2.6162, error=0.0074),
        above_crystal_ev_per_atom=0.127,
        reference_energies_ev_per_atom={"Li": -1.9041, "O": -4.9263, "P": -5.4081},
        **head("amorphous-limit"),
    )


def activation(species: str, energy: float, d0: float) -> Activation:
    spread = 0.11
    beta = 1 / (KB_EV * np.array(ANNEALS))
    inverse = np.linalg.inv(np.array([[len(beta), -beta.sum()], [-beta.sum(), (beta**2).sum()]])) * spread**2
    room = float(np.exp(np.log(d0) - energy / (KB_EV * 300)))
    return Activation(
        species=species,
        step="anneal",
        activation_energy_ev=Measured(value=energy, error=float(np.sqrt(inverse[1, 1]))),
        ln_d0=Measured(value=float(np.log(d0)), error=float(np.sqrt(inverse[0, 0]))),
        covariance=float(inverse[0, 1]),
        temperatures_k=list(ANNEALS),
        extrapolated_300k_cm2_s=room,
        extrapolated_300k_interval_cm2_s=Interval(low=room / 6, high=room * 6),
    )
