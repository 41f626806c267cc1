"""The equation of state of a structure from relaxations at several volumes."""

from collections.abc import Sequence
from typing import Any

from tachylite.errors import InputError
from tachylite.measured import Measured
from tachylite.physics.eos import fit_birch_murnaghan
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.steps.compress import CompressionPoint


def fit_compression(relaxations: Sequence[Relaxation]) -> dict[str, Any]:
    """Fit volume, bulk modulus and its derivative: fields of a `CompressResult`, with status and reason.

    Refused where a structure did not relax, where the volumes do not enclose that of zero pressure, and where the
    pressures have no equation of state.
    """
    points = [
        CompressionPoint(
            volume_a3=relaxation.state.volume_a3,
            pressure_gpa=relaxation.pressure_gpa,
            energy_ev_per_atom=relaxation.energy_ev_per_atom,
        )
        for relaxation in relaxations
    ]
    fields: dict[str, Any] = {"points": points}
    failed = next((relaxation for relaxation in relaxations if relaxation.status == "failed"), None)
    if failed is not None:
        reason = f"at {failed.state.volume_a3:.1f} A^3: {failed.reason or 'not relaxed'}"
        return fields | {"status": "failed", "reason": reason}
    pressures = [point.pressure_gpa for point in points]
    if not min(pressures) < 0 < max(pressures):
        reason = f"pressures from {min(pressures):.2f} to {max(pressures):.2f} GPa do not enclose zero; widen fractions"
        return fields | {"status": "failed", "reason": reason}
    try:
        equation = fit_birch_murnaghan([point.volume_a3 for point in points], pressures)
    except InputError as error:
        return fields | {"status": "failed", "reason": str(error)}
    return fields | {
        "status": "completed",
        "volume_a3": Measured(value=equation.volume, error=equation.volume_error),
        "bulk_modulus_gpa": Measured(value=equation.bulk_modulus, error=equation.bulk_modulus_error),
        "bulk_modulus_derivative": Measured(
            value=equation.bulk_modulus_derivative, error=equation.bulk_modulus_derivative_error
        ),
    }
