"""What the page shows of a ramp: its rate, the transition, the heat capacity at its end."""

from collections.abc import Iterator, Sequence

from tachylite.report import charts as figures
from tachylite.report.drawing.chart import Chart
from tachylite.report.glass import heat_capacity_row, response_rows, transition_rows
from tachylite.report.parts import Row, chart_of, crystallinity_rows, run_rows, volume_rows
from tachylite.report.text import quantity
from tachylite.schemas.steps.ramp import RampResult


def rows(result: RampResult) -> Iterator[Row]:
    """From where to where, how fast, and what that says."""
    yield Row("temperatures", f"{result.start_temperature_k:g} to {result.temperature_k:g}", key=True, unit="K")
    if result.cooling_rate_k_s is not None:
        label = "cooling rate" if result.cooling_rate_k_s > 0 else "heating rate"
        yield Row(label, quantity(abs(result.cooling_rate_k_s), digits=3), key=True, unit="K/s")
    yield from volume_rows(result)
    yield from crystallinity_rows(result, key=result.status == "failed")
    yield from run_rows(result.run)
    if result.transition is not None:
        yield from transition_rows(result.transition)
    if result.heat_capacity is not None:
        yield heat_capacity_row(f"heat capacity at {result.temperature_k:g} K", result.heat_capacity)
    if result.response is not None:
        yield from response_rows(result.response)


def charts(results: Sequence[RampResult]) -> Iterator[Chart]:
    """Energy against temperature."""
    for result in results:
        if result.transition is not None:
            yield chart_of(result, figures.cooling_run(result.transition))
