"""The tables that `tachylite run` ends with: every number with its error and unit, every failure named."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tachylite.report.text import ABSENT, plain_formula, quantity
from tachylite.schemas import Diffusivity, Material, Measured, Melt


def show_summary(material: Material, console: Console) -> None:
    """Print the states of a material, what follows from them, and what failed."""
    forces = material.provenance
    model = ", ".join([forces.model, *(f"{key}={value}" for key, value in forces.options.items())])
    header = (
        f"{plain_formula(material.formula)}, {material.n_atoms} atoms, protocol {material.protocol.name}, "
        f"engine {forces.engine} ({model}), seed {forces.seed}: {material.status}"
    )
    console.print(header, markup=False, highlight=False, soft_wrap=True)
    if material.melt:
        console.print(_states(material))
    properties = _properties(material)
    if properties.row_count:
        console.print(properties)
    for failure in material.failures:
        line = f"failed: {failure.stage}: {failure.reason}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"id {material.material_id}", markup=False, highlight=False, soft_wrap=True)


def _states(material: Material) -> Table:
    """One row for every temperature; D with its 95 % interval, the others with their standard error."""
    states = [state for state in (material.melt, *material.anneals) if state is not None]
    species = sorted({one.species for state in states for one in state.diffusivities})
    columns = [f"D({name}) (cm²/s)" for name in species]
    pressure = f"{material.protocol.pressure} P (GPa)"
    table = Table("T (K)", "V (Å³/atom)", pressure, "density (g/cm³)", *columns)
    for state in states:
        found = {one.species: one for one in state.diffusivities}
        table.add_row(
            f"{state.temperature_k:g}",
            _volume_per_atom(state),
            quantity(state.equilibrium.pressure_gpa),
            quantity(state.density_g_cm3),
            *(_diffusivity(found.get(name)) for name in species),
        )
    return table


def _volume_per_atom(state: Melt) -> str:
    volume, n_atoms = state.equilibrium.volume_a3, state.equilibrium.n_atoms
    return quantity(Measured(value=volume.value / n_atoms, error=volume.error / n_atoms)) if volume else ABSENT


def _diffusivity(found: Diffusivity | None) -> str:
    if found is None:
        return ABSENT
    if found.diffusive:
        return quantity(found.diffusivity_cm2_s, interval=found.diffusivity_interval_cm2_s)
    bound = f"< {quantity(found.upper_bound_cm2_s, digits=2)}, " if found.upper_bound_cm2_s is not None else ""
    return f"{bound}not diffusive"


def _properties(material: Material) -> Table:
    table = Table("property", "value", show_header=False)
    for fit in material.activations:
        energy = fit.activation_energy_ev
        text = quantity(energy, unit="eV") if energy else escape(fit.reason or ABSENT)
        table.add_row(f"activation energy, {fit.species}", text)
    limit, glass = material.amorphous_limit, material.glass
    rows: list[tuple[str, float | Measured | None, str]] = []
    if limit:
        rows += [
            ("amorphous limit (formation energy)", limit.formation_energy_ev_per_atom, "eV/atom"),
            ("  mean of the snapshots", limit.mean_formation_energy_ev_per_atom, "eV/atom"),
            ("  above the crystal", limit.above_crystal_ev_per_atom, "eV/atom"),
        ]
    if glass:
        rows += [
            ("cooling rate", glass.cooling_rate_k_s, "K/s"),
            ("glass: density", glass.density_g_cm3, "g/cm³"),
            ("glass: formation energy", glass.formation_energy_ev_per_atom, "eV/atom"),
            ("glass: above the crystal", glass.above_crystal_ev_per_atom, "eV/atom"),
        ]
    for name, value, unit in rows:
        if value is not None:
            table.add_row(name, quantity(value, unit=unit))
    return table
