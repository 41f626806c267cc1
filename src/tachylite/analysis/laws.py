"""Laws over several diffusivities of one species: of temperature, and of the size of the cell."""

from collections.abc import Sequence

from tachylite.measured import Interval
from tachylite.physics.statistics import ln_error_of
from tachylite.physics.transport.arrhenius import ROOM_TEMPERATURE_K, arrhenius, arrhenius_law, extrapolate
from tachylite.physics.transport.collective import extrapolate_size
from tachylite.physics.transport.vft import VFTLaw, fit_vft
from tachylite.schemas import Diffusivity
from tachylite.schemas.material import Activation
from tachylite.schemas.transport import Conductivity, ConductivityLaw, TransportSeries


def combine_transport(diffusivities: Sequence[Diffusivity]) -> TransportSeries:
    """Fit what several diffusivities of one species allow: Arrhenius and VFT laws, or 1/L at one temperature."""
    resolved = [d for d in diffusivities if d.diffusivity_cm2_s]
    series = TransportSeries(species=diffusivities[0].species, diffusivities=list(diffusivities))
    temperatures = [d.temperature_k for d in resolved]
    values = [d.diffusivity_cm2_s or 0.0 for d in resolved]
    ln_errors = [ln_error(d) for d in resolved]
    if len(set(temperatures)) >= 2:
        law, vft = arrhenius_law(temperatures, values, ln_errors), fit_vft(temperatures, values, ln_errors)
        bend = _bend(vft)
        conductivities = [(d.temperature_k, d.conductivity or Conductivity()) for d in resolved]
        laws = {
            "arrhenius": law if bend is None else law.without_room(bend),
            "vft": vft,
            "conductivity": _conductivity_law(
                [(t, c.nernst_einstein_s_cm, c.nernst_einstein_interval_s_cm) for t, c in conductivities], bend
            ),
            "collective_conductivity": _conductivity_law(
                [(t, c.collective_s_cm, c.collective_interval_s_cm) for t, c in conductivities], bend
            ),
        }
        return series.model_copy(update=laws)
    lengths = [d.finite_size.length_a for d in resolved if d.finite_size is not None]
    if len(lengths) == len(resolved) and len({round(length, 2) for length in lengths}) >= 2:
        errors = [value * error for value, error in zip(values, ln_errors, strict=True)]
        return series.model_copy(update={"size": extrapolate_size(lengths, values, errors, temperatures[0])})
    reason = (
        f"{len(resolved)} of {len(diffusivities)} trajectories diffuse, at {len(set(temperatures))} temperatures "
        "and of one size; a law needs two temperatures"
    )
    return series.model_copy(update={"reason": reason})


def _bend(vft: VFTLaw) -> str | None:
    """Why a straight line is not extrapolated, where the values follow another law."""
    if not vft.determined or vft.t0_k is None:
        return None
    return f"the line is not straight: a VFT law with T0 = {vft.t0_k.value:.0f} K describes the values better"


def _conductivity_law(
    conductivities: Sequence[tuple[float, float | None, Interval | None]], bend: str | None
) -> ConductivityLaw | None:
    """Law of conductivities, in S/cm, at temperatures in K, with their 95 % intervals; None for fewer than two."""
    known = [(t, value, interval) for t, value, interval in conductivities if value and interval is not None]
    known = [entry for entry in known if entry[2].low > 0]
    temperatures = [temperature for temperature, *_ in known]
    if len(set(temperatures)) < 2:
        return None
    fit = arrhenius(
        temperatures,
        [value * temperature for temperature, value, _ in known],
        [ln_error_of(interval) for *_, interval in known],
    )
    room = extrapolate(fit, temperatures)
    if bend is not None:
        room = room.refused(bend)
    return ConductivityLaw(
        activation_energy_ev=fit.activation_energy_ev,
        temperatures_k=temperatures,
        extrapolated_300k_s_cm=None if room.value is None else room.value / ROOM_TEMPERATURE_K,
        extrapolated_300k_interval_s_cm=None if room.interval is None else room.interval * (1 / ROOM_TEMPERATURE_K),
        reach_300k=room.reach,
        extrapolation_remark=room.remark,
    )


def activation(species: str, diffusivities: Sequence[Diffusivity]) -> Activation:
    """Laws over the temperatures at which one species diffuses, or why there are none."""
    resolved = [d for d in diffusivities if d.diffusivity_cm2_s]
    temperatures = [d.temperature_k for d in resolved]
    if len(set(temperatures)) < 2:
        n_measured = len({d.temperature_k for d in diffusivities})
        reason = (
            f"{species} diffuses measurably at {len(set(temperatures))} of {n_measured} temperatures; two are needed"
        )
        return Activation(
            species=species, activation_energy_ev=None, ln_d0=None, temperatures_k=temperatures, reason=reason
        )
    series = combine_transport(resolved)
    law = series.arrhenius
    assert law is not None  # noqa: S101 - for the type checker: there are two temperatures
    return Activation(
        species=species,
        activation_energy_ev=law.activation_energy_ev,
        ln_d0=law.ln_d0,
        covariance=law.covariance_ev,
        temperatures_k=temperatures,
        extrapolated_300k_cm2_s=law.extrapolated_300k_cm2_s,
        extrapolated_300k_interval_cm2_s=law.extrapolated_300k_interval_cm2_s,
        reach_300k=law.reach_300k,
        extrapolation_remark=law.extrapolation_remark,
        conductivity=series.conductivity,
        collective_conductivity=series.collective_conductivity,
        vft=series.vft,
    )


def ln_error(diffusivity: Diffusivity) -> float:
    """Standard error of ln D from the 95 % interval; 1 where there is none, or where it reaches zero."""
    interval = diffusivity.diffusivity_interval_cm2_s
    return 1.0 if interval is None or interval.low <= 0 else ln_error_of(interval)
