"""How strongly the elements scatter neutrons and X-rays."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from tachylite.arrays import Array


def neutron_lengths_fm(symbols: Sequence[str]) -> Array:
    """Bound coherent scattering lengths in fm of elements in natural abundance, shape (n,); nan where not known.

    From periodictable, which tabulates Rauch and Waschkowski (DOI 10.1007/10499706_6) with later measurements.
    """
    lengths = [_element(symbol).neutron.b_c for symbol in symbols]
    return np.array([np.nan if length is None else length for length in lengths], dtype=np.float64)


def xray_form_factors(symbols: Sequence[str], q_per_a: Array) -> Array:
    """Form factors f0(Q) in electrons of neutral atoms, shape (n_elements, n_q), Q in 1/A up to 75.

    The fit by five Gaussians of Waasmaier and Kirfel (DOI 10.1107/S0108767394013292), from periodictable;
    without anomalous scattering.
    """
    return np.array([_element(symbol).xray.f0(q_per_a) for symbol in symbols], dtype=np.float64)


@cache
def _element(symbol: str) -> Any:
    # its tables take a third of a second to read
    import periodictable

    return periodictable.elements.symbol(symbol)
