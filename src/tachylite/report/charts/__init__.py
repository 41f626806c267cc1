"""The figures, by subject; every function returns a `Chart` that matplotlib and plotly can draw."""

from tachylite.report.charts.contents import contents
from tachylite.report.charts.dynamics import time_series
from tachylite.report.charts.energy import snapshot_energies
from tachylite.report.charts.glass import cooling_run
from tachylite.report.charts.structure import partial_rdfs
from tachylite.report.charts.transport import arrhenius, mean_squared_displacement
from tachylite.report.charts.volume import pressure_volume

__all__ = [
    "arrhenius",
    "contents",
    "cooling_run",
    "mean_squared_displacement",
    "partial_rdfs",
    "pressure_volume",
    "snapshot_energies",
    "time_series",
]
