"""Parity of trajectories and tables on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from tachylite.cli import main

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "zheng2024" / "rdf"

Result = tuple[int, str, str]


@pytest.fixture
def parity(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    def call(*words: Path | str) -> Result:
        code = main(["analyze", "parity", *map(str, words)])
        out, err = capfd.readouterr()
        return code, out, err

    return call


def gas(path: Path, seed: int, symbols: str = "Ar64") -> Path:
    rng = np.random.default_rng(seed)
    write(path, [Atoms(symbols, positions=rng.uniform(0, 18, (64, 3)), cell=[18] * 3, pbc=True) for _ in range(20)])
    return path


@pytest.mark.skipif(not PUBLISHED.exists(), reason="published g(r) tables are not here")
def test_published_tables_give_one_number_and_one_for_each_pair(parity: Callable[..., Result]) -> None:
    code, out, _ = parity(PUBLISHED / "DFT_RDF_Al3Si.csv", PUBLISHED / "M3GNet_RDF_Al3Si.csv", "--json")
    found = json.loads(out)
    assert code == 0
    assert set(found["r2_by_pair"]) == {"Al-Al", "Al-Si", "Si-Si"}
    assert 0.5 < found["r2"] < 1
    code, out, _ = parity(PUBLISHED / "DFT_RDF_Al3Si.csv", PUBLISHED / "DFT_RDF_Al3Si.csv")
    assert code == 0
    assert "1.0000" in out


def test_a_trajectory_is_equal_to_itself_and_not_to_another(tmp_path: Path, parity: Callable[..., Result]) -> None:
    one, two = gas(tmp_path / "one.extxyz", 1), gas(tmp_path / "two.extxyz", 2)
    assert json.loads(parity(one, one, "--json")[1])["r2"] == 1
    assert json.loads(parity(one, two, "--json")[1])["r2"] < 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        ("r,Li-O\n1,x\n", "no table of numbers"),
        ("a,b\n1,2\n", "needs a column r"),
        ("r,Li-O\n2,1\n1,1\n", "do not ascend"),
        ("r,Li-O\n1,1\n2,nan\n", "not finite"),
        ("", "no table of numbers"),
    ],
)
def test_a_bad_table_gets_one_line(
    content: str | None, message: str, tmp_path: Path, parity: Callable[..., Result]
) -> None:
    path = tmp_path / "g.csv"
    if content is not None:
        path.write_text(content)
    code, _, err = parity(path, path)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_other_elements_are_named(tmp_path: Path, parity: Callable[..., Result]) -> None:
    code, _, err = parity(gas(tmp_path / "a.extxyz", 1), gas(tmp_path / "b.extxyz", 1, "Ne64"))
    assert code == 2
    assert "Ar-Ar, Ne-Ne is in one of the two only" in err
