"""The types of many numbers: numpy arrays where they are computed, lists where they are stored."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

type Array = NDArray[np.float64]
"""Floating point numbers; the shape stands in the docstring of the function or class that uses them."""


def _as_list(values: Any) -> Any:
    return values.tolist() if isinstance(values, np.ndarray) else values


FloatList = Annotated[list[float], BeforeValidator(_as_list)]
"""Numbers in a stored model, shape (n,); a numpy array is accepted and becomes a list."""

FloatMatrix = Annotated[list[list[float]], BeforeValidator(_as_list)]
"""Rows of numbers in a stored model, shape (n, m); a numpy array is accepted and becomes a list of lists."""
