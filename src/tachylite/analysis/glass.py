"""What a cooling run and a series of volumes say, as documents."""

from typing import Literal

import numpy as np
from scipy.ndimage import uniform_filter1d

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.thermodynamics.glass_transition import FEWEST_WINDOWS, Kink, Windows, find_transition
from tachylite.physics.thermodynamics.heat import fluctuation_heat_capacity
from tachylite.readers.thermo import ThermoTable
from tachylite.schemas import Interval, Measured, Trajectory
from tachylite.schemas.glass import GlassTransition, HeatCapacity, ThermalExpansion, Transition
from tachylite.units import J_MOL_PER_EV, KB_EV

type Constant = Literal["volume", "pressure"]

_FS_PER_S = 1e15
_VOLUME_CHANGES = 1e-6
_SMOOTHED_SHARE = 0.02


def measure_quench(trajectory: Trajectory) -> GlassTransition | None:
    """The transition in the ramp of one of our quenches, at constant volume.

    None for a ramp that is missing, shorter than 12 steps, or without the energies of all of them.
    """
    ramp = ramp_of(trajectory)
    if ramp is None or len(ramp.temperatures_k) < FEWEST_WINDOWS or not np.isfinite(ramp.energies_ev).all():
        return None
    return measure_transition(ramp, len(trajectory.numbers))


def measure_hold(trajectory: Trajectory, temperature_k: float) -> HeatCapacity | None:
    """Heat capacity from the fluctuations of the energy in the last segment, the first fifth of it left out."""
    series = trajectory.series
    if "segment" not in series or len(series["segment"]) == 0:
        return None
    energies = series["energy_ev"][series["segment"] == series["segment"].max()]
    energies = energies[len(energies) // 5 :]
    if len(energies) < 2 or not np.isfinite(energies).all():
        return None
    found = fluctuation_heat_capacity(energies, temperature_k, len(trajectory.numbers))
    return _capacity(Measured(value=found.mean, error=found.error), "volume", "fluctuations", temperature_k)


def measure_transition(
    table: ThermoTable, n_atoms: int, low_k: float | None = None, high_k: float | None = None
) -> GlassTransition:
    """The transition along a cooling run, or its part between two temperatures in K.

    It is looked for in the energy and, where it changes, in the volume. With a volume that changes the slopes are heat
    capacities at constant pressure, those of the enthalpy: at zero pressure it is the energy. Raises InputError as
    `find_transition` does, and where nothing is in the range.
    """
    chosen = _between(table.temperatures_k, low_k, high_k)
    temperatures = table.temperatures_k[chosen]
    volumes = None if table.volumes_a3 is None else table.volumes_a3[chosen] / n_atoms
    changes = volumes is not None and bool(np.ptp(volumes) > _VOLUME_CHANGES * volumes.mean())
    constant: Constant = "pressure" if changes or table.energy_kind == "enthalpy" else "volume"
    windows, kink = find_transition(temperatures, table.energies_ev[chosen] / n_atoms)
    kinetic = 1.5 if table.energy_kind == "potential" else 0.0

    def capacity(slope: float, error: float) -> HeatCapacity | None:
        if kink.reason is not None:
            return None
        return _capacity(Measured(value=slope / KB_EV + kinetic, error=error / KB_EV), constant, "slope")

    found: dict[str, object] = {
        "n_atoms": n_atoms,
        "energy_kind": table.energy_kind,
        "constant": constant,
        "cooling_rate_k_s": _rate(temperatures, None if table.times_fs is None else table.times_fs[chosen]),
        "energy": _transition("energy", windows, kink),
        "glass_heat_capacity": capacity(kink.low_slope, kink.low_slope_error),
        "liquid_heat_capacity": capacity(kink.high_slope, kink.high_slope_error),
        "heat_capacity_jump_j_mol_k": None
        if kink.reason is not None
        else Measured(value=kink.jump * J_MOL_PER_EV, error=kink.jump_error * J_MOL_PER_EV),
    }
    if changes and volumes is not None:
        windows, kink = find_transition(temperatures, volumes)
        found["volume"] = _transition("volume", windows, kink)
        if kink.reason is None:
            found["glass_expansion"] = _branch(kink, kink.low_slope, kink.low_slope_error)
            found["liquid_expansion"] = _branch(kink, kink.high_slope, kink.high_slope_error)
    return GlassTransition.model_validate(found)


def ramp_of(trajectory: Trajectory) -> ThermoTable | None:
    """The longest stretch of one of our runs along which the thermostat cools, within one segment; None without any."""
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
        volumes_a3=None,
        times_fs=np.asarray(series["time_fs"][ramp], dtype=np.float64),
    )


def _between(temperatures_k: Array, low_k: float | None, high_k: float | None) -> slice:
    """The stretch of the run between two temperatures; the measured ones are smoothed over a fiftieth of the run."""
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


def _transition(quantity: str, windows: Windows, kink: Kink) -> Transition:
    found = {
        "quantity": quantity,
        "reason": kink.reason,
        "window_temperatures_k": windows.temperatures_k.tolist(),
        "window_values": windows.values.tolist(),
        "window_errors": [float(error) if np.isfinite(error) else None for error in windows.errors],
    }
    if kink.reason is None:
        found |= {
            "temperature_k": Measured(value=kink.temperature_k, error=kink.error_k),
            "temperature_interval_k": Interval(low=kink.interval_k[0], high=kink.interval_k[1]),
            "width_k": kink.width_k,
            "value": kink.value,
            "glass_slope": Measured(value=kink.low_slope, error=kink.low_slope_error),
            "liquid_slope": Measured(value=kink.high_slope, error=kink.high_slope_error),
            "slope_jump": Measured(value=kink.jump, error=kink.jump_error),
        }
    return Transition.model_validate(found)


def _capacity(
    k_b: Measured, constant: Constant, source: Literal["slope", "fluctuations"], temperature_k: float | None = None
) -> HeatCapacity:
    molar = KB_EV * J_MOL_PER_EV
    return HeatCapacity(
        j_mol_k=Measured(value=k_b.value * molar, error=k_b.error * molar),
        k_b_per_atom=k_b,
        constant=constant,
        source=source,
        temperature_k=temperature_k,
    )


def _branch(kink: Kink, slope: float, error: float) -> ThermalExpansion:
    """Of one branch, over the volume at the transition."""
    return ThermalExpansion(
        coefficient_per_k=Measured(value=slope / kink.value, error=error / kink.value),
        temperature_k=kink.temperature_k,
        volume_a3_per_atom=kink.value,
        temperatures_k=[],
    )
