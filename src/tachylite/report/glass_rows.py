"""What a cooling run, a hold and small strains say of a glass, as labelled values."""

from collections.abc import Iterator

from tachylite.report.overview import Row
from tachylite.report.text import ABSENT, quantity
from tachylite.schemas import Glass
from tachylite.schemas.glass import Elasticity, GlassTransition, HeatCapacity, ThermalExpansion, Transition

_MOLAR = "J/(mol K)"


def glass_rows(glass: Glass) -> list[Row]:
    """Everything of a glass that goes beyond its density and its energy."""
    rows = list(transition_rows(glass.transition)) if glass.transition is not None else []
    if glass.heat_capacity is not None:
        rows.append(_heat(f"heat capacity at {glass.final_temperature_k:g} K", glass.heat_capacity))
    if glass.elasticity is not None:
        rows += elasticity_rows(glass.elasticity)
    return rows


def transition_rows(found: GlassTransition) -> Iterator[Row]:
    """Tg, heat capacities and expansion of both branches, or why there are none."""
    for transition in (found.energy, found.volume):
        if transition is not None:
            yield _temperature(transition)
    if found.glass_heat_capacity is not None and found.liquid_heat_capacity is not None:
        yield _heat("heat capacity, glass", found.glass_heat_capacity)
        yield _heat("heat capacity, liquid", found.liquid_heat_capacity)
        yield Row("its jump", quantity(found.heat_capacity_jump_j_mol_k, unit=_MOLAR))
    if found.glass_expansion is not None and found.liquid_expansion is not None:
        yield expansion_row("thermal expansion, glass", found.glass_expansion)
        yield expansion_row("thermal expansion, liquid", found.liquid_expansion)
    if found.cooling_rate_k_s is not None:
        yield Row("cooling rate", quantity(found.cooling_rate_k_s, unit="K/s", digits=3))


def elasticity_rows(found: Elasticity) -> list[Row]:
    """Moduli with errors, or why there are none."""
    bulk, shear = found.bulk_modulus_gpa, found.shear_modulus_gpa
    if bulk is None or shear is None:
        return [Row("elastic moduli", "refused", found.reason or "", weak=True)]
    return [
        Row("Young's modulus", quantity(found.young_modulus_gpa, unit="GPa"), "small strains, all directions"),
        Row("Poisson ratio", quantity(found.poisson_ratio)),
        Row("shear modulus", quantity(shear.hill, unit="GPa"), "Hill"),
        Row("bulk modulus", quantity(bulk.hill, unit="GPa"), "Hill, at 0 K"),
    ]


def expansion_row(label: str, found: ThermalExpansion) -> Row:
    """Volumetric expansion with the temperatures it is from."""
    at = ", ".join(f"{t:g}" for t in found.temperatures_k)
    note = f"1/V dV/dT from volumes at {at} K" if at else "1/V dV/dT along the cooling run"
    return Row(label, quantity(found.coefficient_per_k, unit="1/K"), note)


def _temperature(transition: Transition) -> Row:
    label = f"glass transition, {transition.quantity}"
    if transition.temperature_k is None:
        return Row(label, ABSENT, transition.reason or "", weak=True)
    interval = transition.temperature_interval_k
    return Row(label, quantity(transition.temperature_k.value, unit="K", interval=interval), "Tg, 95 % interval")


def _heat(label: str, found: HeatCapacity) -> Row:
    symbol = "c_V" if found.constant == "volume" else "c_p"
    return Row(
        label,
        quantity(found.j_mol_k, unit=_MOLAR),
        f"{symbol}, from the {found.source}: {quantity(found.k_b_per_atom, unit='k_B per atom')}",
    )
