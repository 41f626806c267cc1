"""What the page shows of a hold: density, diffusivities, the run."""

from collections.abc import Iterator, Sequence

from tachylite.report.charts.layers import layer_charts
from tachylite.report.drawing.chart import Chart
from tachylite.report.glass import response_rows
from tachylite.report.layers import layer_tables
from tachylite.report.parts import (
    DIFFUSIVITY,
    Row,
    Table,
    chart_of,
    crystallinity_rows,
    diffusivity,
    run_rows,
    volume_rows,
)
from tachylite.report.text import quantity
from tachylite.schemas import Diffusivity
from tachylite.schemas.steps.hold import HoldResult


def rows(result: HoldResult) -> Iterator[Row]:
    """Temperature, volume, density, diffusivities, how it was run, and its response functions."""
    yield Row("temperature", f"{result.temperature_k:g}", key=True, unit="K")
    yield from volume_rows(result)
    for measured in result.diffusivities:
        weak = not measured.diffusive
        reason = measured.reason or "" if weak else ""
        yield Row(f"D({measured.species})", diffusivity(measured), reason, weak, key=True, unit=DIFFUSIVITY)
        yield from _conductivity_rows(measured)
    yield from crystallinity_rows(result, key=result.status == "failed")
    yield from run_rows(result.run)
    if result.response is not None:
        yield from response_rows(result.response)


def charts(results: Sequence[HoldResult]) -> Iterator[Chart]:
    """Profiles by layer, where it was analysed in layers."""
    for result in results:
        if result.layers is not None:
            yield from (chart_of(result, chart) for chart in layer_charts(result.layers))


def tables(result: HoldResult) -> Iterator[Table]:
    """Numbers by layer."""
    if result.layers is not None:
        yield from layer_tables(result.layers)


def _conductivity_rows(measured: Diffusivity) -> Iterator[Row]:
    """The Nernst-Einstein conductivity of ions that diffuse and, where it is resolved, how they move together."""
    conductivity, collective = measured.conductivity, measured.collective
    if conductivity is None or conductivity.nernst_einstein_s_cm is None:
        return
    value, interval = conductivity.nernst_einstein_s_cm, conductivity.nernst_einstein_interval_s_cm
    charge = f"charge {conductivity.charge:+g}, {conductivity.charge_source}; ions that move independently"
    yield Row(f"conductivity, {measured.species}", quantity(value, interval=interval), charge, unit="S/cm")
    if collective is not None and collective.haven_ratio is not None:
        together = quantity(conductivity.collective_s_cm, interval=conductivity.collective_interval_s_cm)
        note = f"Haven ratio {quantity(collective.haven_ratio, interval=collective.haven_ratio_interval)}"
        yield Row(f"collective conductivity, {measured.species}", together, note, unit="S/cm")
