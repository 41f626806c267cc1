"""A property over composition, from the rows of a store."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tachylite.physics.composition import parse_formula
from tachylite.schemas.composition_map import CompositionMap, CompositionValue


@dataclass(frozen=True)
class Sample:
    """One material: its formula and a number of its row, with its error where there is one."""

    material_id: str
    formula: str
    value: float
    error: float | None


def map_property(elements: Sequence[str], column: str, samples: Iterable[Sample]) -> CompositionMap:
    """The means over the samples of each composition of some of these elements, in the order of their fractions."""
    by_formula: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if set(parse_formula(sample.formula).fractions) <= set(elements):
            by_formula[sample.formula].append(sample)
    values = [_mean(elements, formula, own) for formula, own in by_formula.items()]
    values.sort(key=lambda value: [-value.fractions[element] for element in elements])
    return CompositionMap(elements=[*elements], column=column, values=values)


def _mean(elements: Sequence[str], formula: str, samples: Sequence[Sample]) -> CompositionValue:
    fractions = parse_formula(formula).fractions
    values = np.array([sample.value for sample in samples])
    error = samples[0].error if len(values) == 1 else float(values.std(ddof=1) / len(values) ** 0.5)
    return CompositionValue(
        formula=formula,
        fractions={element: float(fractions.get(element, 0.0)) for element in elements},
        value=float(values.mean()),
        error=error,
        material_ids=[sample.material_id for sample in samples],
    )
