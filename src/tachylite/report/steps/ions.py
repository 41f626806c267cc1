"""What the page shows of ions put into a host or taken out of it."""

from collections.abc import Iterator, Sequence

from tachylite.report import charts as figures
from tachylite.report.drawing.chart import Chart
from tachylite.report.parts import Row, Table, chart_of, crystallinity_rows
from tachylite.report.text import ABSENT, plain_formula, quantity
from tachylite.schemas.steps.ions import IonResult, IonStage


def rows(result: IonResult) -> Iterator[Row]:
    """Content reached, why it ended there, volume change, voltage, and the host compared with the first."""
    unit = plain_formula(result.host)
    if result.content is None:
        yield Row("content", ABSENT, result.reason or "", weak=True, key=True)
        return
    last = result.stages[-1]
    counted = f"{result.element} to a {unit}; {result.ended}"
    yield Row("content", quantity(result.content), counted, key=True, weak=result.status == "failed")
    yield Row(
        "volume change", quantity(100 * (result.volume_change or 0.0)), "from the first stage", key=True, unit="%"
    )
    if result.average_voltage_v is not None:
        against = (
            f"against {result.element} at {quantity(result.metal_ev_per_atom, digits=5)} eV, z = {result.charge:g}"
        )
        yield Row("mean voltage", quantity(result.average_voltage_v), against, key=True, unit="V")
    elif result.voltage_reason is not None:
        yield Row("mean voltage", "refused", result.voltage_reason, weak=True, key=True)
    if last.coordination is not None:
        yield Row("neighbours of an ion", quantity(last.coordination), "atoms of the host")
    yield Row(
        "displacement of the host", quantity(last.displacement_a), "root mean square, from the first host", unit="Å"
    )
    yield Row("bonds of the first host kept", f"{last.bonds_kept:.0%}", f"{last.bonds_new:.0%} new")
    yield from crystallinity_rows(result, key=False)


def charts(results: Sequence[IonResult]) -> Iterator[Chart]:
    """Voltage and volume against content."""
    for result in results:
        if len(result.stages) > 1:
            yield chart_of(result, figures.contents(result))


def tables(result: IonResult) -> Iterator[Table]:
    """Every stage, and the plateaus."""
    if not result.stages:
        return
    columns = (
        f"x in {result.element}ₓ{plain_formula(result.host)}",
        "ions",
        f"energy (eV/{plain_formula(result.host)})",
        f"V (Å³/{plain_formula(result.host)})",
        "voltage since the stage before (V)",
        "stable",
        "neighbours of an ion",
        "displacement of the host (Å)",
        "bonds kept",
        "bonds new",
    )
    yield Table("Stages", columns, tuple(_cells(stage, result.host_units or 1.0) for stage in result.stages))
    if result.plateaus:
        cells = tuple(
            (f"{step.content_low:g} to {step.content_high:g}", quantity(step.voltage_v)) for step in result.plateaus
        )
        yield Table("Plateaus, along the convex hull of energy", ("x", "voltage (V)"), cells)


def _cells(stage: IonStage, units: float) -> tuple[str, ...]:
    return (
        f"{stage.content:g}",
        str(stage.n_ions),
        quantity(stage.energy_ev / units, digits=6),
        quantity(stage.volume_a3 / units),
        ABSENT if stage.voltage_v is None else quantity(stage.voltage_v),
        ABSENT if stage.is_stable is None else "yes" if stage.is_stable else "no",
        ABSENT if stage.coordination is None else quantity(stage.coordination),
        quantity(stage.displacement_a),
        f"{stage.bonds_kept:.0%}",
        f"{stage.bonds_new:.0%}",
    )
