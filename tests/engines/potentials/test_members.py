"""Systems that are computed one by one: one that fails is named, and the others go on."""

import logging
from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms
from tests.engines.potentials.sample_structures import state_of

from tachylite.engines.potentials.members import MemberModel


class Counting:
    """Energy is the number of atoms; five atoms are too many."""

    asked_for_stress: bool | None = None
    cached = 0

    def compute(self, numbers: Any, positions: Any, cell: Any, pbc: Any, *, stress: bool) -> tuple[float, Any, Any]:
        self.asked_for_stress = stress
        self.cached += 1
        if len(numbers) == 5:
            raise RuntimeError("five\natoms are  too many")
        if len(numbers) == 6:
            return 6.0, np.zeros((5, 3)), np.eye(3)
        return float(len(numbers)), positions * 0 + cell[0, 0], np.eye(3) if stress else np.nan

    def reset(self) -> None:
        self.cached = 0


def atoms(count: int) -> Atoms:
    return Atoms(f"Ar{count}", positions=np.arange(3 * count).reshape(-1, 3) % 7, cell=[7.0 + count] * 3, pbc=True)


def test_every_system_gets_its_own_answer() -> None:
    result = MemberModel(Counting())(state_of([atoms(2), atoms(1), atoms(3)]))
    assert result["energy"].tolist() == [2.0, 1.0, 3.0]
    assert result["forces"][:, 0].tolist() == [9.0, 9.0, 8.0, 10.0, 10.0, 10.0]
    assert torch.equal(result["stress"], torch.eye(3, dtype=torch.float64).expand(3, 3, 3))


def test_a_system_that_fails_is_named_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    model = MemberModel(Counting())
    with caplog.at_level(logging.WARNING):
        result = model(state_of([atoms(2), atoms(5), atoms(3)]))
        model(state_of([atoms(2), atoms(5), atoms(3)]))
    assert result["energy"].isnan().tolist() == [False, True, False]
    assert result["forces"][2:7].isnan().all()
    assert result["stress"][1].isnan().all()
    assert result["forces"][7:].isfinite().all()
    assert model.reasons == {1: "RuntimeError: five atoms are too many"}
    assert caplog.messages == ["system 1 of a batch has no energy: RuntimeError: five atoms are too many"]


def test_the_first_reason_stays_until_the_system_is_well() -> None:
    model = MemberModel(Counting())
    model(state_of([atoms(2), atoms(5)]))
    lost = atoms(5)
    lost.positions[:] = np.nan
    model(state_of([atoms(2), lost]))
    assert model.reasons == {1: "RuntimeError: five atoms are too many"}
    model(state_of([atoms(2), atoms(4)]))
    assert model.reasons == {}
    model(state_of([lost]))
    assert model.reasons == {0: "its positions or cell are no geometry"}


def test_an_answer_of_the_wrong_shape_is_no_answer() -> None:
    model = MemberModel(Counting())
    result = model(state_of([atoms(6), atoms(1)]))
    assert result["energy"].isnan().tolist() == [True, False]
    assert result["forces"][:6].isnan().all()
    assert "ValueError" in model.reasons[0]


def test_only_what_is_asked_for_is_computed() -> None:
    single = Counting()
    model = MemberModel(single, compute_stress=False)
    assert set(model(state_of([atoms(2)]))) == {"energy", "forces"}
    assert single.asked_for_stress is False
    model.compute_forces = False
    assert set(model(state_of([atoms(2)]))) == {"energy"}
    model.reset()
    assert single.cached == 0
