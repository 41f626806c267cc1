"""Glass transition and heat capacity of a cooling run, thermal expansion of a series of volumes."""

from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.ndimage import uniform_filter1d

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.thermodynamics.fluctuations import ResponseFunctions, response_functions
from tachylite.physics.thermodynamics.glass_transition import FEWEST_WINDOWS, find_transition
from tachylite.physics.thermodynamics.heat import fluctuation_heat_capacity
from tachylite.readers.thermo import ThermoTable
from tachylite.schemas import Measured, Run, Trajectory
from tachylite.schemas.glass import GlassTransition, HeatCapacity, ThermalExpansion, Transition
from tachylite.units import GPA_PER_EV_A3, J_MOL_PER_EV, KB_EV

type Constant = Literal["volume", "pressure"]

_FS_PER_S = 1e15
_VOLUME_CHANGES = 1e-6
_SMOOTHED_SHARE = 0.02


def measure_quench(trajectory: Trajectory, pressure_gpa: float | None = None) -> GlassTransition | None:
    """Measure the glass transition along the ramp of a quench made here, at constant volume or pressure.

    At constant pressure it is looked for in the enthalpy, without its kinetic part, and in the volume. None for a ramp
    that is missing, shorter than 12 steps, or without the energies of all of them.
    """
    ramp = ramp_of(trajectory)
    if ramp is not None and ramp.volumes_a3 is not None and pressure_gpa:
        ramp = replace(ramp, energies_ev=ramp.energies_ev + pressure_gpa / GPA_PER_EV_A3 * ramp.volumes_a3)
    if ramp is None or len(ramp.temperatures_k) < FEWEST_WINDOWS or not np.isfinite(ramp.energies_ev).all():
        return None
    return measure_transition(ramp, len(trajectory.numbers))


def measure_hold(trajectory: Trajectory, temperature_k: float) -> HeatCapacity | None:
    """Heat capacity from the fluctuations of the energy in the last segment, the first fifth of it left out.

    None for a run at constant pressure; there it is one of the response functions.
    """
    series = trajectory.series
    if "segment" not in series or len(series["segment"]) == 0 or "volume_a3" in series:
        return None
    energies = series["energy_ev"][series["segment"] == series["segment"].max()]
    energies = energies[len(energies) // 5 :]
    if len(energies) < 2 or not np.isfinite(energies).all():
        return None
    return fluctuation_heat_capacity(energies, temperature_k, len(trajectory.numbers))


def measure_response(trajectory: Trajectory, run: Run) -> ResponseFunctions | None:
    """Response functions from the fluctuations in the equilibrated part of the last segment, at constant pressure.

    None at constant volume, along a ramp, for fewer than two steps, and for a cell that changes along one direction
    only, whose fluctuations are not those of a material under pressure.
    """
    segment = run.last.segment if run.segments else None
    if segment is None or segment.pressure_gpa is None or segment.end_temperature_k is not None:
        return None
    if segment.cell == "normal":
        return None
    chosen = np.flatnonzero(trajectory.series["segment"] == len(run.segments) - 1)[run.last.equilibration_steps :]
    if len(chosen) < 2:
        return None
    energies, volumes = (trajectory.series[name][chosen] for name in ("energy_ev", "volume_a3"))
    return response_functions(energies, volumes, segment.temperature_k, segment.pressure_gpa, run.n_atoms)


def measure_transition(
    table: ThermoTable, n_atoms: int, low_k: float | None = None, high_k: float | None = None
) -> GlassTransition:
    """Measure the glass transition along a cooling run, or its part between two temperatures in K.

    It is looked for in the energy and, where it changes, in the volume. With a volume that changes the slopes are heat
    capacities at constant pressure, those of the enthalpy: at zero pressure it is the energy. Raises InputError as
    `find_transition` does, and where nothing is in the range.
    """
    chosen = _between(table.temperatures_k, low_k, high_k)
    temperatures = table.temperatures_k[chosen]
    volumes = None if table.volumes_a3 is None else table.volumes_a3[chosen] / n_atoms
    changes = volumes is not None and bool(np.ptp(volumes) > _VOLUME_CHANGES * volumes.mean())
    constant: Constant = "pressure" if changes or table.energy_kind == "enthalpy" else "volume"
    energy = find_transition(temperatures, table.energies_ev[chosen] / n_atoms, "energy")
    volume = find_transition(temperatures, volumes, "volume") if changes and volumes is not None else None
    # an atom has 3/2 k T of kinetic energy, which is no part of the potential energy
    kinetic = 1.5 if table.energy_kind == "potential" else 0.0
    return GlassTransition(
        n_atoms=n_atoms,
        energy_kind=table.energy_kind,
        constant=constant,
        cooling_rate_k_s=_rate(temperatures, None if table.times_fs is None else table.times_fs[chosen]),
        energy=energy,
        volume=volume,
        glass_heat_capacity=_heat_capacity(energy.glass_slope, kinetic, constant),
        liquid_heat_capacity=_heat_capacity(energy.liquid_slope, kinetic, constant),
        heat_capacity_jump_j_mol_k=None if energy.slope_jump is None else energy.slope_jump * J_MOL_PER_EV,
        glass_expansion=None if volume is None else _expansion(volume, volume.glass_slope),
        liquid_expansion=None if volume is None else _expansion(volume, volume.liquid_slope),
    )


def ramp_of(trajectory: Trajectory) -> ThermoTable | None:
    """The longest stretch of a run along which the thermostat cools, within one segment; None where it never does."""
    series = trajectory.series
    if not {"target_temperature_k", "energy_ev", "time_fs"} <= series.keys():
        return None
    target = np.asarray(series["target_temperature_k"], dtype=np.float64)
    falls = np.diff(target) < 0
    if "segment" in series:
        # the step from a hot segment to the next is no ramp
        falls &= np.diff(series["segment"]) == 0
    falling = np.flatnonzero(falls)
    if falling.size == 0:
        return None
    stretches = np.split(falling, np.flatnonzero(np.diff(falling) > 1) + 1)
    longest = max(stretches, key=len)
    ramp = slice(int(longest[0]), int(longest[-1]) + 2)
    return ThermoTable(
        temperatures_k=target[ramp],
        energies_ev=np.asarray(series["energy_ev"][ramp], dtype=np.float64),
        energy_kind="potential",
        volumes_a3=np.asarray(series["volume_a3"][ramp], dtype=np.float64) if "volume_a3" in series else None,
        times_fs=np.asarray(series["time_fs"][ramp], dtype=np.float64),
    )


def _between(temperatures_k: Array, low_k: float | None, high_k: float | None) -> slice:
    """Select the stretch between two temperatures in K, after smoothing them over a fiftieth of the run."""
    low, high = low_k if low_k is not None else 0.0, high_k if high_k is not None else np.inf
    smooth = uniform_filter1d(temperatures_k, max(1, int(_SMOOTHED_SHARE * len(temperatures_k))), mode="nearest")
    inside = np.flatnonzero((smooth >= low) & (smooth <= high))
    if inside.size == 0:
        raise InputError(
            f"no temperature lies in {low:g} to {high:g} K; the run has {smooth.min():.0f} to {smooth.max():.0f} K"
        )
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _rate(temperatures_k: Array, times_fs: Array | None) -> float | None:
    """Mean cooling rate in K/s."""
    if times_fs is None or np.ptp(times_fs) == 0:
        return None
    return -float(np.polyfit(times_fs - times_fs[0], temperatures_k, 1)[0]) * _FS_PER_S


def _heat_capacity(slope_ev_k: Measured | None, kinetic_k_b: float, constant: Constant) -> HeatCapacity | None:
    """Heat capacity of one branch: its slope of the energy per atom, and a kinetic part in k_B."""
    if slope_ev_k is None:
        return None
    slope = slope_ev_k / KB_EV
    k_b_per_atom = Measured(value=slope.value + kinetic_k_b, error=slope.error)
    return HeatCapacity.from_k_b_per_atom(k_b_per_atom, constant, "slope")


def _expansion(volume: Transition, slope: Measured | None) -> ThermalExpansion | None:
    """Thermal expansion of one branch: its slope of the volume per atom over the volume at the transition."""
    if slope is None or volume.value is None or volume.temperature_k is None:
        return None
    return ThermalExpansion(
        coefficient_per_k=slope / volume.value,
        temperature_k=volume.temperature_k.value,
        volume_a3_per_atom=volume.value,
        temperatures_k=[],
    )
