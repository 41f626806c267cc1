"""A calculator that says how often it was asked, and takes as long as it is told: copied into a test's folder."""

import time
from pathlib import Path
from typing import Any

from ase.calculators.lj import LennardJones

HERE = Path(__file__).parent


class Counting(LennardJones):
    """Lennard-Jones; `calls` gets a byte for every calculation, `pace` holds the seconds that one takes."""

    def __init__(self) -> None:
        super().__init__(sigma=2.3, epsilon=0.1, rc=5.0, smooth=True)  # type: ignore[no-untyped-call]  # ASE has no types here

    def calculate(self, *args: Any, **options: Any) -> None:
        super().calculate(*args, **options)  # type: ignore[no-untyped-call]  # ASE has no types here
        with (HERE / "calls").open("ab") as calls:
            calls.write(b".")
        time.sleep(float((HERE / "pace").read_text(encoding="utf-8")))
