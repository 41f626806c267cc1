"""The tables that `tachylite run` ends with: every number with its error and unit, every failure named."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tachylite.analysis.amorphization import amorphization_enthalpies
from tachylite.analysis.structure import lost_crystals
from tachylite.report.columns import cell_text, cells_of, heading_of
from tachylite.report.parts import named_laws
from tachylite.report.text import ABSENT, LOST_CRYSTAL, plain_formula, quantity, spaced
from tachylite.schemas import Material, Result


def show_summary(material: Material, console: Console) -> None:
    """Print what every step gave, what follows from several of them, and what failed."""
    forces = material.provenance
    model = ", ".join([forces.model, *(f"{key}={value}" for key, value in forces.options.items())])
    header = (
        f"{plain_formula(material.formula)}, {material.n_atoms} atoms, protocol {material.protocol.name}, "
        f"engine {forces.engine} ({model}), seed {forces.seed}: {material.status}"
    )
    _line(console, header)
    if material.begins_as:
        _line(console, f"begins as {material.begins_as}")
    for table in _tables(material.results):
        console.print(table)
    laws = Table("property", "value", show_header=False)
    for law, name in named_laws(material.activations):
        energy = law.activation_energy_ev
        text = quantity(energy, unit="eV") if energy else law.reason or ABSENT
        laws.add_row(escape(f"activation energy, {name}"), escape(text))
    if laws.row_count:
        console.print(laws)
    for failure in material.failures:
        _line(console, f"failed: {spaced(failure.stage)}: {failure.reason}")
    if titles := lost_crystals(material):
        _line(console, f"no crystal any more: {', '.join(map(spaced, titles))}: {LOST_CRYSTAL}")
    _line(console, f"id {material.material_id}")


def show_enthalpies(materials: Sequence[Material], console: Console) -> None:
    """Print amorphization enthalpies over independent quenches of the same composition."""
    for enthalpy in amorphization_enthalpies(materials):
        left_out = f", {enthalpy.crystallised} crystallised and left out" if enthalpy.crystallised else ""
        name = plain_formula(enthalpy.formula) + (f", {spaced(enthalpy.title)}" if enthalpy.title != "glass" else "")
        value = quantity(enthalpy.mean, unit="eV/atom") if enthalpy.mean else ABSENT
        _line(console, f"amorphization enthalpy of {name}: {value}, {enthalpy.quenches} quenches{left_out}")


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _tables(results: Sequence[Result]) -> Iterator[Table]:
    """A table for every kind of step, a row for each result; D with its 95 % interval, others with errors."""
    for kind in dict.fromkeys(result.kind for result in results):
        given = [result for result in results if result.kind == kind and result.status != "skipped"]
        rows = [(spaced(result.title), cells_of(result)) for result in given]
        headings = list(dict.fromkeys(heading_of(cell) for _, cells in rows for cell in cells))
        table = Table(kind, *map(escape, headings))
        for title, cells in rows:
            texts = {heading_of(cell): cell_text(cell) for cell in cells}
            table.add_row(escape(title), *(escape(texts.get(heading, ABSENT)) for heading in headings))
        if headings:
            yield table
