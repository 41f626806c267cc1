"""What the page shows of snapshots: their formation energies, the lowest of them, the references."""

from collections.abc import Iterator, Sequence

from tachylite.report import charts as figures
from tachylite.report.drawing.chart import Chart
from tachylite.report.parts import ENERGY, Row, Table, chart_of, crystallinity_text, known_rows
from tachylite.report.text import ABSENT, quantity
from tachylite.schemas.steps.snapshots import SnapshotsResult


def rows(result: SnapshotsResult) -> Iterator[Row]:
    """Lowest and mean formation energy."""
    lowest, number = result.formation_energy_ev_per_atom, f"of {len(result.snapshots)} snapshots"
    if lowest is None:
        yield Row("lowest", ABSENT, result.reason or "", weak=True, key=True)
    else:
        yield Row("lowest", quantity(lowest), number, key=True, unit=ENERGY)
    if result.n_crystallised:
        yield Row("crystallised", f"{result.n_crystallised}", f"{number}, left out", weak=True, key=True)
    yield from known_rows([("above the crystal", result.above_crystal_ev_per_atom, ENERGY)])
    if result.mean_formation_energy_ev_per_atom is not None:
        yield Row("mean", quantity(result.mean_formation_energy_ev_per_atom), key=True, unit=ENERGY)


def charts(results: Sequence[SnapshotsResult]) -> Iterator[Chart]:
    """Formation energies against time."""
    for result in results:
        if any(snapshot.formation_energy_ev_per_atom is not None for snapshot in result.snapshots):
            yield chart_of(result, figures.snapshot_energies(result))


def tables(result: SnapshotsResult) -> Iterator[Table]:
    """References, and every snapshot."""
    references = sorted(result.reference_energies_ev_per_atom.items())
    if references:
        values = tuple((symbol, quantity(energy, digits=5)) for symbol, energy in references)
        yield Table("References of the formation energy", ("element", f"energy ({ENERGY})"), values)
    cells = tuple(
        (
            f"{snapshot.time_fs / 1000:g}",
            quantity(snapshot.formation_energy_ev_per_atom),
            quantity(snapshot.relaxation.energy_ev_per_atom, digits=5),
            quantity(snapshot.relaxation.max_force_ev_a, digits=2),
            snapshot.relaxation.status,
            ABSENT if snapshot.order is None else crystallinity_text(snapshot.order),
        )
        for snapshot in result.snapshots
    )
    if cells:
        columns = (
            "time (ps)",
            f"formation energy ({ENERGY})",
            f"energy ({ENERGY})",
            "largest force (eV/Å)",
            "relaxation",
            "crystal or glass",
        )
        yield Table("Relaxed snapshots", columns, cells)
