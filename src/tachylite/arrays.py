"""The array type of all numbers in this package."""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
"""Floating point numbers; the shape stands in the docstring of whoever takes or gives one."""
