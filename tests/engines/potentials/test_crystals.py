from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tachylite.engines.potentials.chgnet.potential import ChgnetPotential
from tachylite.engines.potentials.crystals import UNIVERSAL, check_crystals
from tachylite.errors import InputError

CPU = torch.device("cpu")
ALL = range(1, 90)

type Answer = dict[str, Tensor]


@pytest.fixture(scope="module")
def chgnet() -> ChgnetPotential:
    return ChgnetPotential()


def altered(potential: ChgnetPotential, change: Callable[[Any, Answer], Answer]) -> Callable[[Any], Answer]:
    return lambda state: change(state, potential(state))


def with_other_zeros(state: Any, answer: Answer) -> Answer:
    """Every element has another energy as an atom, as with another functional or pseudopotential."""
    shifts = 3 * torch.sin(state.atomic_numbers.double())
    total = torch.zeros_like(answer["energy"]).index_add_(0, state.system_idx, shifts)
    return answer | {"energy": answer["energy"] + total}


def with_oxides_too_high(state: Any, answer: Answer) -> Answer:
    """Oxides with magnesium miss a part of their energy."""
    is_mgo = [{8, 12} == set(state.atomic_numbers[state.system_idx == i].tolist()) for i in range(state.n_systems)]
    return answer | {"energy": answer["energy"] + 2.5 * torch.tensor(is_mgo)}


def in_other_units(_: Any, answer: Answer) -> Answer:
    return answer | {"stress": answer["stress"] * 160.2}


def not_a_number(_: Any, answer: Answer) -> Answer:
    return answer | {"stress": answer["stress"] * torch.nan}


@pytest.mark.parametrize("weights", ["0.3.0", "r2scan", "0.2.0"])
def test_good_weights_pass(weights: str) -> None:
    assert check_crystals(ChgnetPotential(weights), ALL, CPU, weights)


def test_the_zero_of_energy_is_free(chgnet: ChgnetPotential) -> None:
    assert check_crystals(altered(chgnet, with_other_zeros), ALL, CPU, "shifted")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            with_oxides_too_high,
            r"weights bad are misread: 1 Li2O \+ 1 Mg -> 1 MgO \+ 2 Li gives 0\.63 instead of -0\.01",
        ),
        (in_other_units, "weights bad are misread: crystalline .* has a pressure of .* GPa at its measured density"),
        (not_a_number, "pressure of nan GPa"),
    ],
)
def test_what_is_misread_is_refused(
    chgnet: ChgnetPotential, change: Callable[[Any, Answer], Answer], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check_crystals(altered(chgnet, change), ALL, CPU, "bad")


def test_a_model_for_few_elements_is_not_asked(chgnet: ChgnetPotential) -> None:
    assert not check_crystals(altered(chgnet, not_a_number), range(1, UNIVERSAL), CPU, "special")


def test_only_crystals_of_known_elements_are_asked(chgnet: ChgnetPotential) -> None:
    without_oxygen = set(ALL) - {8}
    assert check_crystals(altered(chgnet, with_oxides_too_high), without_oxygen, CPU, "no oxides")
