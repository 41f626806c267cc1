"""Step `remove`: ions taken out of hosts, stage by stage."""

from dataclasses import dataclass

from tachylite.flows.steps.ions import IonMaker


@dataclass
class RemoveMaker(IonMaker):
    """Take ions out of every member."""
