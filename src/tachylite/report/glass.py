"""What cooling runs, fluctuations and small strains say of a glass, as labelled values."""

from collections.abc import Iterator

from tachylite.physics.thermodynamics.fluctuations import ResponseFunctions
from tachylite.report.parts import Row
from tachylite.report.text import ABSENT, quantity
from tachylite.schemas.glass import Elasticity, GlassTransition, HeatCapacity, ThermalExpansion, Transition

_MOLAR = "J/(mol K)"


def transition_rows(run: GlassTransition) -> Iterator[Row]:
    """Tg, heat capacities and expansion of both branches, or why there are none."""
    for transition in (run.energy, run.volume):
        if transition is not None:
            yield _temperature(transition)
    if run.glass_heat_capacity is not None and run.liquid_heat_capacity is not None:
        yield heat_capacity_row("heat capacity, glass", run.glass_heat_capacity)
        yield heat_capacity_row("heat capacity, liquid", run.liquid_heat_capacity)
        yield Row("heat capacity, jump", quantity(run.heat_capacity_jump_j_mol_k), "from glass to liquid", unit=_MOLAR)
    if run.glass_expansion is not None and run.liquid_expansion is not None:
        yield expansion_row("thermal expansion, glass", run.glass_expansion)
        yield expansion_row("thermal expansion, liquid", run.liquid_expansion)


def response_rows(response: ResponseFunctions) -> Iterator[Row]:
    """What the fluctuations at constant pressure say."""
    yield Row("compressibility", quantity(response.compressibility_per_gpa), "-1/V dV/dP, of the volume", unit="1/GPa")
    yield Row("thermal expansion", quantity(response.thermal_expansion_per_k), "1/V dV/dT, of the run", unit="1/K")
    yield heat_capacity_row("heat capacity", response.heat_capacity)


def elasticity_rows(elasticity: Elasticity) -> list[Row]:
    """Moduli with errors, or why there are none."""
    bulk, shear = elasticity.bulk_modulus_gpa, elasticity.shear_modulus_gpa
    if bulk is None or shear is None:
        return [Row("elastic moduli", "refused", elasticity.reason or "", weak=True, key=True)]
    return [
        Row("Young's modulus", quantity(elasticity.young_modulus_gpa), "mean of all directions", key=True, unit="GPa"),
        Row("Poisson ratio", quantity(elasticity.poisson_ratio), key=True),
        Row("shear modulus", quantity(shear.hill), "Hill", unit="GPa"),
        Row("bulk modulus", quantity(bulk.hill), "Hill, at 0 K", unit="GPa"),
    ]


def expansion_row(label: str, expansion: ThermalExpansion) -> Row:
    """Volumetric expansion with the temperatures it is from."""
    at = ", ".join(f"{t:g}" for t in expansion.temperatures_k)
    note = f"1/V dV/dT from volumes at {at} K" if at else "1/V dV/dT along the cooling run"
    return Row(label, quantity(expansion.coefficient_per_k), note, unit="1/K")


def _temperature(transition: Transition) -> Row:
    label = f"glass transition, {transition.quantity}"
    if transition.temperature_k is None:
        return Row(label, ABSENT, transition.reason or "", weak=True)
    interval = transition.temperature_interval_k
    tg = quantity(transition.temperature_k.value, interval=interval)
    return Row(label, tg, "Tg, 95 % interval", key=True, unit="K")


def heat_capacity_row(label: str, capacity: HeatCapacity) -> Row:
    """A heat capacity with where it comes from."""
    symbol = "c_V" if capacity.constant == "volume" else "c_p"
    return Row(
        label,
        quantity(capacity.j_mol_k),
        f"{symbol}, from the {capacity.source}: {quantity(capacity.k_b_per_atom, unit='k_B per atom')}",
        unit=_MOLAR,
    )
