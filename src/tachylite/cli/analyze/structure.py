"""`tachylite analyze structure`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import CsvOption, FiguresOption, JsonOption, TrajectoryFile, TypesOption, parse_types
from tachylite.cli.output import print_tables
from tachylite.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.physics.structure.network import NetworkElements
    from tachylite.schemas import StructureAnalysis


def structure(
    file: TrajectoryFile,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="In K; recorded, not used to compute.")
    ] = None,
    cutoff: Annotated[
        list[str] | None,
        typer.Option("--cutoff", metavar="Si-O=2.0", help="Bond length limit in Å; else first minima of bonds."),
    ] = None,
    q_max: Annotated[float, typer.Option("--q-max", help="Structure factors up to this Q in 1/Å; 0 for none.")] = 20.0,
    rings: Annotated[bool, typer.Option("--rings", help="Count primitive rings of the network of bonds.")] = False,
    polyhedra: Annotated[bool, typer.Option("--polyhedra", help="Count Voronoi polyhedra, as in alloys.")] = False,
    group: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="P:O,N", help="Order of the tetrahedra around P with O and N as ligands."),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option("--network", metavar="P:O,N", help="Network formers and anions of bridges and Qn; else found."),
    ] = None,
    types: TypesOption = None,
    csv: CsvOption = None,
    figures: FiguresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Partial g(r), coordination, angles, network and structure factors, with errors over frames; crystal or glass."""
    from tachylite.analysis.structure import frames_of_file, measure_frames
    from tachylite.readers import open_trajectory

    analysis = measure_frames(
        frames_of_file(open_trajectory(file, types=parse_types(types))),
        temperature,
        cutoffs_a=parse_cutoffs(cutoff) if cutoff else None,
        q_max_per_a=q_max or None,
        rings=rings,
        polyhedra=polyhedra,
        groups=_parse_groups(group or []),
        network=_parse_network(network),
    )
    if csv is not None:
        from tachylite.report.csv_tables import structure_tables, write_tables

        write_tables(structure_tables(analysis), csv)
    if figures is not None:
        _write_figures(analysis, f"Structure of {file.name}", figures)
    if as_json:
        typer.echo(analysis.model_dump_json(indent=2))
    else:
        from tachylite.report.parts import crystallinity_note, crystallinity_text

        print_tables(_pair_table(analysis), *_bond_tables(analysis), *_network_tables(analysis))
        typer.echo(f"last frame: {crystallinity_text(analysis)} ({crystallinity_note(analysis)})")


def parse_cutoffs(words: Sequence[str]) -> dict[str, float]:
    """Cutoffs in A by pair from `Si-O=2.0`; InputError for words of another form and pairs given twice."""
    cutoffs: dict[str, float] = {}
    for word in words:
        pair, _, number = word.partition("=")
        key = "-".join(sorted(pair.split("-")))
        if key in cutoffs:
            raise InputError(f"--cutoff {pair} is given twice")
        try:
            cutoffs[key] = float(number)
        except ValueError:
            raise InputError(f"--cutoff {word!r} is not PAIR=LENGTH, like Si-O=2.0 (in Å)") from None
    return cutoffs


def _parse_groups(words: Sequence[str]) -> dict[str, list[str]]:
    """Ligands by centre from `P:O,N`; InputError for words of another form and centres given twice."""
    groups: dict[str, list[str]] = {}
    for word in words:
        center, _, ligands = word.partition(":")
        if not center or not ligands:
            raise InputError(f"--group {word!r} is not CENTRE:LIGANDS, like P:O,N")
        if center in groups:
            raise InputError(f"--group {center} is given twice")
        groups[center] = [ligand.strip() for ligand in ligands.split(",")]
    return groups


def _parse_network(word: str | None) -> NetworkElements | None:
    """Formers and anions from `Si,Al:O`; InputError for words of another form."""
    if word is None:
        return None
    from tachylite.physics.structure.network import NetworkElements

    formers, anions = ([name.strip() for name in part.split(",") if name.strip()] for part in word.partition(":")[::2])
    if not formers or not anions or set(formers) & set(anions):
        raise InputError(f"--network {word!r} is not FORMERS:ANIONS, like P:O,N")
    return NetworkElements(formers, anions)


def _write_figures(analysis: StructureAnalysis, title: str, folder: Path) -> None:
    from tachylite.report.charts import partial_rdfs
    from tachylite.report.charts.scattering import structure_charts
    from tachylite.report.pages.rendering import write_charts

    rdfs = partial_rdfs([("g(r)", "accent", analysis)])
    write_charts([rdfs, *structure_charts(analysis).values()], title, folder)


def _pair_table(analysis: StructureAnalysis) -> Table:
    from rich.table import Table

    from tachylite.report.text import quantity

    table = Table("pair", "first peak (Å)", "first minimum (Å)", "neighbours up to it")
    for partial in analysis.partials:
        neighbours = "\n".join(f"{pair} {quantity(count)}" for pair, count in partial.coordination.items())
        table.add_row(partial.pair, quantity(partial.first_peak_a), quantity(partial.first_minimum_a), neighbours)
    return table


def _bond_tables(analysis: StructureAnalysis) -> list[Table]:
    """Tables of coordination numbers, angles, rings, polyhedra and groups, as far as there are any."""
    from rich.table import Table

    from tachylite.physics.structure.polyhedra import polyhedron_name
    from tachylite.report.text import quantity, shares

    coordination = Table("bond", "cutoff (Å)", "neighbours", "atoms with that many")
    for bond in analysis.coordinations:
        name = f"{bond.center}-{bond.neighbor}"
        coordination.add_row(name, quantity(bond.cutoff_a), quantity(bond.mean), shares(bond.fractions))
    angles = Table("angle", "mean (°)", "standard deviation (°)")
    for angle in analysis.angles:
        angles.add_row(angle.triplet, quantity(angle.mean_deg), quantity(angle.deviation_deg))
    rings = Table(f"rings of {analysis.rings.network if analysis.rings else ''}", "per vertex")
    for size, number in analysis.rings.rings_per_vertex.items() if analysis.rings else ():
        rings.add_row(str(size), quantity(number))
    polyhedra = Table("around", "Voronoi faces", "volume (Å³)", "<3, 4, 5, 6, more edges>: fraction of the atoms")
    for cells in analysis.polyhedra or ():
        fractions = shares({polyhedron_name(kind.index): kind.fraction for kind in cells.polyhedra})
        polyhedra.add_row(cells.center, quantity(cells.faces), quantity(cells.volume_a3), fractions)
    groups = Table("group", "with four ligands", "tetrahedral order", "orientational order, ranks 3 and 4", "by chance")
    for group in analysis.orientations:
        orders = ", ".join(quantity(order) for order in group.order.values())
        chance = ", ".join(f"± {quantity(value, digits=2)}" for value in group.by_chance.values())
        groups.add_row(group.group, quantity(group.fraction), quantity(group.tetrahedrality), orders, chance)
    return [table for table in (coordination, angles, rings, polyhedra, groups) if table.row_count]


def _network_tables(analysis: StructureAnalysis) -> list[Table]:
    """Tables of bridges and of Qn, where there is a network."""
    from rich.table import Table

    from tachylite.report.text import quantity, shares

    if analysis.network is None:
        return []
    anions = Table("anion", "in bridges", "bonded to so many formers", "bridges")
    for anion in analysis.network.anions:
        anions.add_row(anion.species, quantity(anion.bridging), shares(anion.formers), shares(anion.bridges))
    formers = Table("former", "bridging anions", "of these", "Qn")
    for former in analysis.network.formers:
        q = shares({f"Q{n}": share for n, share in former.q.items()})
        formers.add_row(former.species, quantity(former.mean), shares(former.by_anion), q)
    return [anions, formers]
