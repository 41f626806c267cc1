"""Step `insert`: ions put into hosts, stage by stage."""

from dataclasses import dataclass

from tachylite.flows.steps.ions import IonMaker


@dataclass
class InsertMaker(IonMaker):
    """Put ions into every member."""
