"""The compiled perceptron is the same function as the one in torch, for any number of rows, threads and parts."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tachylite.engines.potentials.chgnet import compiled
from tachylite.engines.potentials.chgnet.compiled import CompiledGatedMLP, load_library
from tachylite.engines.potentials.chgnet.gated import WIDTH, Gated, GatedMLP, centered
from tachylite.engines.potentials.chgnet.potential import ChgnetPotential

pytestmark = pytest.mark.skipif(load_library() is None, reason="there is no C compiler here")

WIDE = 2 * WIDTH


def perceptron(*, hidden: bool, norm: bool) -> GatedMLP:
    def draw(*shape: int, about: float = 0.0) -> Tensor:
        return about + 0.3 * torch.randn(*shape, generator=rng)

    rng = torch.Generator().manual_seed(7)
    second, bias = draw(2, WIDTH, WIDTH), draw(2, WIDTH)
    if norm:
        second, bias = centered(second), centered(bias)
    return GatedMLP(
        second=second if hidden else None,
        second_bias=bias if hidden else None,
        scale=draw(2, 1, WIDTH, about=1.0) if norm else None,
        shift=draw(2, 1, WIDTH) if norm else None,
    )


def pair(*, hidden: bool, norm: bool) -> tuple[Gated, Gated]:
    gated, library = perceptron(hidden=hidden, norm=norm), load_library()
    assert library is not None
    return gated, CompiledGatedMLP.of(library, gated)


@pytest.mark.parametrize("hidden", [True, False])
@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize(
    ("rows", "parts", "with_extra"), [(0, 3, False), (1, 3, False), (23, 2, True), (1000, 3, False)]
)
def test_message_and_gradient_are_those_of_torch(
    hidden: bool, norm: bool, rows: int, parts: int, with_extra: bool
) -> None:
    rng = torch.Generator().manual_seed(rows)
    table = torch.randn(50, WIDE, generator=rng)
    index = torch.randint(50, (rows, parts), generator=rng)
    extra = torch.randn(rows, WIDE, generator=rng) if with_extra else None
    gradient = torch.randn(rows, WIDTH, generator=rng)
    results = []
    for way in pair(hidden=hidden, norm=norm):
        message = torch.full((rows, WIDTH), torch.nan)
        tape = way.forward(table, index, message, None if extra is None else extra.clone())
        results.append((message, way.backward(gradient, tape)))
    for ours, theirs in zip(results[1], results[0], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=2e-5)


def test_a_sigmoid_far_out_is_zero_or_one_and_not_infinite() -> None:
    _, fast = pair(hidden=False, norm=False)
    table = torch.zeros(4, WIDE)
    table[:, :WIDTH] = torch.tensor([[1e3], [-1e3], [1e30], [3.0]])
    table[:, WIDTH:] = torch.tensor([[1e3], [1e3], [-1e30], [-90.0]])
    message = torch.empty(4, WIDTH)
    tape = fast.forward(table, torch.arange(4)[:, None], message)
    torch.testing.assert_close(message[:2, 0], torch.tensor([1e3, 0.0]), atol=1e-12, rtol=1e-6)
    assert message.isfinite().all()
    assert fast.backward(torch.ones(4, WIDTH), tape).isfinite().all()


def test_the_answer_does_not_depend_on_threads_or_on_other_rows() -> None:
    _, fast = pair(hidden=True, norm=True)
    table, index = torch.randn(30, WIDE), torch.randint(30, (500, 3))
    whole, part = torch.empty(500, WIDTH), torch.empty(7, WIDTH)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        fast.forward(table, index, whole)
    finally:
        torch.set_num_threads(before)
    fast.forward(table, index[101:108].contiguous(), part)
    assert torch.equal(whole[101:108], part)


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    load_library.cache_clear()
    yield tmp_path
    load_library.cache_clear()


def test_it_is_compiled_once_for_a_processor(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_library() is not None
    (library,) = (fresh_cache / "tachylite" / "compiled").iterdir()
    load_library.cache_clear()
    monkeypatch.setattr(subprocess, "run", None)
    assert load_library() is not None
    monkeypatch.setattr(compiled, "_processor", lambda: "another processor")
    load_library.cache_clear()
    with pytest.raises(TypeError):  # it would compile again, with the command that is no longer there
        load_library()
    assert list((fresh_cache / "tachylite" / "compiled").iterdir()) == [library]


@pytest.mark.parametrize("trouble", ["no compiler", "a compiler that fails", "no folder"])
def test_without_a_compiler_the_answer_comes_from_torch(
    trouble: str, fresh_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble == "no compiler":
        monkeypatch.setattr(shutil, "which", lambda _: None)
    elif trouble == "a compiler that fails":
        monkeypatch.setenv("CC", "false")
    else:
        (fresh_cache / "tachylite").write_text("a file in the way")
    assert load_library() is None
    assert not ChgnetPotential().is_compiled
