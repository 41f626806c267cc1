import numpy as np
from tests.report.test_campaign_page import synthetic

from tachylite.report.charts.screen import above_hull
from tachylite.report.drawing.chart import Line


def test_what_lies_below_the_hull_is_counted_too() -> None:
    """A potential may have a glass below the crystals that it was given."""
    _, rows, _ = synthetic([("Li", "Si")])
    rows = [
        row.model_copy(update={"above_hull_ev_per_atom": energy, "status": "completed"})
        for row, energy in zip(rows, (-0.05, -0.01, 0.0, 0.02, 0.03, 0.07, 0.1, 0.11, 0.2), strict=True)
    ]
    (panel,) = above_hull(rows).panels
    (line,) = (mark for mark in panel.marks if isinstance(mark, Line))
    assert np.sum(line.y) / 2 == len(rows)
    assert line.x.min() <= -0.05
