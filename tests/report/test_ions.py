"""What the page shows of ions in a host: rows, stages, a chart with as many voltages as there are steps."""

import numpy as np
from tests.analysis.test_voltage import cell

from tachylite.report.drawing.chart import Line
from tachylite.report.steps import ions, rows_of
from tachylite.schemas.steps.ions import IonResult

CHARGED = cell("a", (0.5, 0.3)).result


def with_ends(result: IonResult) -> IonResult:
    return result.model_copy(update={"content": 1.0, "volume_change": 0.4, "ended": "2 Li are reached"})


def test_rows_say_content_volume_and_voltage() -> None:
    rows = {row.label: row for row in rows_of(with_ends(CHARGED))}
    assert (rows["content"].value, rows["content"].note) == ("1.000", "Li to a Si; 2 Li are reached")
    assert rows["volume change"].value == "40.00 %"
    assert rows["mean voltage"].value == "0.4000 V"
    assert "against Li" in rows["mean voltage"].note


def test_a_refused_voltage_has_its_reason_and_a_series_without_stages_too() -> None:
    refused = CHARGED.model_copy(update={"average_voltage_v": None, "voltage_reason": "there is no metal"})
    row = next(row for row in rows_of(with_ends(refused)) if row.label == "mean voltage")
    assert (row.text, row.note, row.weak) == ("refused", "there is no metal", True)
    nothing = CHARGED.model_copy(update={"stages": [], "status": "failed", "reason": "no void"})
    (only,) = rows_of(nothing)
    assert (only.note, only.weak) == ("no void", True)
    assert not list(ions.tables(nothing))
    assert not list(ions.charts([nothing]))


def test_the_chart_has_a_stair_of_voltages_in_and_out() -> None:
    for result in (CHARGED, CHARGED.model_copy(update={"stages": _taken_out()})):
        (chart,) = ions.charts([result])
        stair = next(mark for mark in chart.panels[0].marks if isinstance(mark, Line))
        np.testing.assert_allclose(stair.x, [0, 0.5, 0.5, 1])
        np.testing.assert_allclose(stair.y, [0.5, 0.5, 0.3, 0.3])
        assert len(chart.panels) == 2
    without = CHARGED.model_copy(
        update={"stages": [stage.model_copy(update={"voltage_v": None}) for stage in CHARGED.stages]}
    )
    (chart,) = ions.charts([without])
    assert len(chart.panels) == 1, "the volume alone"


def _taken_out() -> list[object]:
    """The same stages from the fullest on, each with the voltage since the stage before."""
    voltages = [None, 0.3, 0.5]
    return [
        stage.model_copy(update={"voltage_v": voltage})
        for stage, voltage in zip(CHARGED.stages[::-1], voltages, strict=True)
    ]


def test_every_stage_is_a_row_of_the_table() -> None:
    stages, plateaus = ions.tables(CHARGED)
    assert [row[0] for row in stages.rows] == ["0", "0.5", "1"]
    assert [row[5] for row in stages.rows] == ["yes"] * 3
    assert [row[1] for row in plateaus.rows] == ["0.5000", "0.3000"]
