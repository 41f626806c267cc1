"""What diffusivities from several trajectories say together: laws of temperature, and the size of the cell."""

from collections.abc import Sequence

import numpy as np

from tachylite.physics.statistics import GAUSSIAN_95
from tachylite.physics.transport.arrhenius import arrhenius
from tachylite.physics.transport.collective import extrapolate_size
from tachylite.physics.transport.vft import fit_vft
from tachylite.schemas import Activation, Diffusivity, Interval, Measured
from tachylite.schemas.transport import ArrheniusLaw, SizeExtrapolation, TransportSeries, VFTLaw

_ROOM_K = 300.0
_BAND_POINTS = 25


def combine_transport(diffusivities: Sequence[Diffusivity]) -> TransportSeries:
    """Fit what several diffusivities of one species allow: Arrhenius and VFT laws, or 1/L at one temperature."""
    found = [d for d in diffusivities if d.diffusivity_cm2_s is not None and d.diffusivity_interval_cm2_s is not None]
    series = TransportSeries(species=diffusivities[0].species, diffusivities=list(diffusivities))
    temperatures = [d.temperature_k for d in found]
    values = [d.diffusivity_cm2_s or 0.0 for d in found]
    ln_errors = [ln_error(d) for d in found]
    if len(set(temperatures)) >= 2:
        laws = {"arrhenius": _arrhenius(temperatures, values, ln_errors), "vft": _vft(temperatures, values, ln_errors)}
        return series.model_copy(update=laws)
    lengths = [d.finite_size.length_a for d in found if d.finite_size is not None]
    if len(lengths) == len(found) and len({round(length, 2) for length in lengths}) >= 2:
        fit = extrapolate_size(lengths, values, [value * error for value, error in zip(values, ln_errors, strict=True)])
        size = SizeExtrapolation(
            diffusivity_cm2_s=Measured(value=fit.diffusivity_cm2_s, error=fit.error_cm2_s),
            slope_cm2_s_a=Measured(value=fit.slope_cm2_s_a, error=fit.slope_error_cm2_s_a),
            viscosity_pa_s=fit.viscosity_pa_s(temperatures[0]),
            lengths_a=lengths,
        )
        return series.model_copy(update={"size": size})
    reason = (
        f"{len(found)} of {len(diffusivities)} trajectories diffuse, at {len(set(temperatures))} temperatures "
        "and of one size; a law needs two temperatures"
    )
    return series.model_copy(update={"reason": reason})


def activation(species: str, diffusivities: Sequence[Diffusivity]) -> Activation:
    """Arrhenius fit over the temperatures at which one species diffuses, or why there is none."""
    points = [(d.temperature_k, d.diffusivity_cm2_s, ln_error(d)) for d in diffusivities if d.diffusivity_cm2_s]
    temperatures = [temperature for temperature, _, _ in points]
    if len(set(temperatures)) < 2:
        asked = len({d.temperature_k for d in diffusivities})
        reason = f"{species} diffuses measurably at {len(set(temperatures))} of {asked} temperatures; two are needed"
        return Activation(
            species=species, activation_energy_ev=None, ln_d0=None, temperatures_k=temperatures, reason=reason
        )
    fit = arrhenius(temperatures, [value for _, value, _ in points], [error for _, _, error in points])
    room, low, high = (float(x) for x in fit.predict(_ROOM_K))
    return Activation(
        species=species,
        activation_energy_ev=Measured(value=fit.activation_energy_ev, error=fit.activation_energy_error_ev),
        ln_d0=Measured(value=fit.ln_d0, error=fit.ln_d0_error),
        covariance=fit.covariance_ev,
        temperatures_k=temperatures,
        extrapolated_300k_cm2_s=room,
        extrapolated_300k_interval_cm2_s=Interval(low=low, high=high),
    )


def ln_error(diffusivity: Diffusivity) -> float:
    """Standard error of ln D from the 95 % interval."""
    interval = diffusivity.diffusivity_interval_cm2_s
    if interval is None or interval.low <= 0:
        return 1.0
    return float(np.log(interval.high / interval.low)) / (2 * GAUSSIAN_95)


def _arrhenius(temperatures: list[float], values: list[float], ln_errors: list[float]) -> ArrheniusLaw:
    fit = arrhenius(temperatures, values, ln_errors)
    inverse = np.linspace(1 / _ROOM_K, 1 / max(temperatures), _BAND_POINTS)
    centre, low, high = fit.predict(1 / inverse)
    return ArrheniusLaw(
        activation_energy_ev=Measured(value=fit.activation_energy_ev, error=fit.activation_energy_error_ev),
        ln_d0=Measured(value=fit.ln_d0, error=fit.ln_d0_error),
        covariance_ev=fit.covariance_ev,
        extrapolated_300k_cm2_s=float(centre[0]),
        extrapolated_300k_interval_cm2_s=Interval(low=float(low[0]), high=float(high[0])),
        band_temperatures_k=(1 / inverse).tolist(),
        band_cm2_s=centre.tolist(),
        band_interval_cm2_s=[Interval(low=a, high=b) for a, b in zip(low.tolist(), high.tolist(), strict=True)],
    )


def _vft(temperatures: list[float], values: list[float], ln_errors: list[float]) -> VFTLaw:
    fit = fit_vft(temperatures, values, ln_errors)
    if fit.ln_d0 is None or fit.b_k is None or fit.t0_k is None or fit.covariance is None:
        return VFTLaw(determined=False, reason=fit.reason)
    errors = np.sqrt(np.diag(fit.covariance)).tolist()
    law = VFTLaw(
        determined=True,
        ln_d0=Measured(value=fit.ln_d0, error=errors[0]),
        b_k=Measured(value=fit.b_k, error=errors[1]),
        t0_k=Measured(value=fit.t0_k, error=errors[2]),
        covariance=fit.covariance.tolist(),
    )
    if fit.t0_k >= _ROOM_K:
        return law
    room, low, high = (float(x) for x in fit.predict(_ROOM_K))
    interval = Interval(low=low, high=high)
    return law.model_copy(update={"extrapolated_300k_cm2_s": room, "extrapolated_300k_interval_cm2_s": interval})
