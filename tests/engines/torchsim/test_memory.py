"""The size of a batch by memory, and what is said where it does not fit."""

from pathlib import Path

import pytest
import torch
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st

from tachylite.engines import get_engine
from tachylite.engines.potentials.loading import load_potential
from tachylite.engines.torchsim import memory
from tachylite.engines.torchsim.engine import TorchSimEngine
from tachylite.errors import InputError
from tachylite.schemas import Request, Segment, State

ARGON = State.from_atoms(bulk("Ar", cubic=True))


@given(
    fixed=st.floats(0, 1e9),
    per_atom=st.floats(1e3, 1e7),
    available=st.floats(1e6, 1e12),
    sizes=st.tuples(st.integers(1, 1000), st.integers(1001, 5000)),
)
def test_the_atoms_that_fit_need_no_more_than_there_is(
    fixed: float, per_atom: float, available: float, sizes: tuple[int, int]
) -> None:
    needed = [(n, fixed + per_atom * n) for n in sizes]
    atoms = memory.atoms_within(available, *needed)
    rounding = 1e-6 * (available + fixed + per_atom * sizes[1])
    assert atoms == 1 or fixed + per_atom * atoms <= available + rounding
    assert fixed + per_atom * (atoms + 2) >= available - rounding


def test_a_batch_that_does_not_fit_says_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    potential = load_potential("lennard-jones", None, "auto").potential

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(potential, "forward", full)
    request = Request(label="argon", state=ARGON, segments=[Segment(steps=1, temperature_k=100)], seed=0)
    engine, message = get_engine("lennard-jones", batch_atoms=300), r"batches of 300 atoms; .* batch_atoms=150"
    with pytest.raises(InputError, match=message):
        engine.run([request], tmp_path)
    with pytest.raises(InputError, match=message):
        engine.relax([ARGON], tmp_path, relax_cell=True, labels=["argon"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_what_is_measured_to_fit_fits(tmp_path: Path) -> None:
    engine = get_engine("chgnet", device="cuda")
    assert isinstance(engine, TorchSimEngine)
    atoms = engine._batch_limit([ARGON], tmp_path)
    assert atoms > 1000
    assert engine._batch_limit([ARGON], tmp_path) == atoms, "a continuation has the same batches"
    engine.single_points([ARGON] * (atoms // 4))
