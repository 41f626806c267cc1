"""Laws over several diffusivities of one species: of temperature, and of the size of the cell."""

from collections.abc import Sequence

from tachylite.physics.statistics import ln_error_of
from tachylite.physics.transport.arrhenius import arrhenius_law
from tachylite.physics.transport.collective import extrapolate_size
from tachylite.physics.transport.vft import fit_vft
from tachylite.schemas import Diffusivity
from tachylite.schemas.material import Activation
from tachylite.schemas.transport import TransportSeries


def combine_transport(diffusivities: Sequence[Diffusivity]) -> TransportSeries:
    """Fit what several diffusivities of one species allow: Arrhenius and VFT laws, or 1/L at one temperature."""
    resolved = [
        d for d in diffusivities if d.diffusivity_cm2_s is not None and d.diffusivity_interval_cm2_s is not None
    ]
    series = TransportSeries(species=diffusivities[0].species, diffusivities=list(diffusivities))
    temperatures = [d.temperature_k for d in resolved]
    values = [d.diffusivity_cm2_s or 0.0 for d in resolved]
    ln_errors = [ln_error(d) for d in resolved]
    if len(set(temperatures)) >= 2:
        laws = {
            "arrhenius": arrhenius_law(temperatures, values, ln_errors),
            "vft": fit_vft(temperatures, values, ln_errors),
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


def activation(species: str, diffusivities: Sequence[Diffusivity]) -> Activation:
    """Arrhenius fit over the temperatures at which one species diffuses, or why there is none."""
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
    law = arrhenius_law(temperatures, [d.diffusivity_cm2_s or 0.0 for d in resolved], [ln_error(d) for d in resolved])
    return Activation(
        species=species,
        activation_energy_ev=law.activation_energy_ev,
        ln_d0=law.ln_d0,
        covariance=law.covariance_ev,
        temperatures_k=temperatures,
        extrapolated_300k_cm2_s=law.extrapolated_300k_cm2_s,
        extrapolated_300k_interval_cm2_s=law.extrapolated_300k_interval_cm2_s,
    )


def ln_error(diffusivity: Diffusivity) -> float:
    """Standard error of ln D from the 95 % interval; 1 where there is none, or where it reaches zero."""
    interval = diffusivity.diffusivity_interval_cm2_s
    return 1.0 if interval is None or interval.low <= 0 else ln_error_of(interval)
