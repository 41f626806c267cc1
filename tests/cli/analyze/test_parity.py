"""Parity of trajectories and tables on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from tests.reference_data import reference

from tachylite.cli import main
from tachylite.schemas import Trajectory

PUBLISHED = reference("zheng2024/rdf")

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


@pytest.mark.reference("zheng2024/rdf")
def test_published_tables_give_one_number_and_one_for_each_pair(parity: Callable[..., Result]) -> None:
    code, out, _ = parity(PUBLISHED / "DFT_RDF_Al3Si.csv", PUBLISHED / "M3GNet_RDF_Al3Si.csv", "--json")
    document = json.loads(out)
    assert code == 0
    assert set(document["r2_by_pair"]) == {"Al-Al", "Al-Si", "Si-Si"}
    assert 0.5 < document["r2"] < 1
    code, out, _ = parity(PUBLISHED / "DFT_RDF_Al3Si.csv", PUBLISHED / "DFT_RDF_Al3Si.csv")
    assert code == 0
    assert "1.0000" in out


def test_a_trajectory_is_equal_to_itself_and_not_to_another(tmp_path: Path, parity: Callable[..., Result]) -> None:
    first, second = gas(tmp_path / "first.extxyz", 1), gas(tmp_path / "second.extxyz", 2)
    assert json.loads(parity(first, first, "--json")[1])["r2"] == 1
    assert json.loads(parity(first, second, "--json")[1])["r2"] < 1


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


def table(path: Path, height: float = 1.0, pair: str = "Al-Si", start: float = 0.0) -> Path:
    r = np.linspace(start, start + 8, 81)
    g = 1 + height * np.exp(-4 * (r - start - 2.5) ** 2)
    rows = [f"{x:.2f},{y:.5f},{y:.5f},{y:.5f}" for x, y in zip(r, g, strict=True)]
    first, second = pair.split("-")
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([f"r,{first}-{first},{pair},{second}-{second}", *rows]))
    return path


@pytest.fixture
def campaign(tmp_path: Path) -> tuple[Path, Path]:
    a, b = tmp_path / "dft", tmp_path / "mlip"
    for name, height in (("Al3Si", 1.0), ("AlSi", 1.2), ("AlSi2", 1.6)):
        table(a / f"DFT_{name}.csv")
        table(b / f"{name}.csv", height)
    table(a / "DFT_ZnS.csv", pair="S-Zn")
    table(b / "ZnS.csv", pair="Li-S")
    table(a / "DFT_Li2O.csv", pair="Li-O")
    table(a / "DFT_Li3O.csv", pair="Li-O")
    table(b / "Li3O.csv", pair="Li-O", start=20)
    table(b / "ZnO.csv", pair="O-Zn")
    return a, b


def test_folders_give_a_report_in_which_every_failure_has_its_reason(
    campaign: tuple[Path, Path], tmp_path: Path, parity: Callable[..., Result]
) -> None:
    code, out, err = parity(*campaign, "--csv", tmp_path / "csv", "--figures", tmp_path / "png", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    reasons = {score["formula"]: score["reason"] for score in document["scores"]}
    assert reasons["Li2O"] == "DFT_Li2O.csv has no partner"
    assert "which is not ZnS" in reasons["ZnS"]
    assert "nothing in common" in reasons["Li3O"]
    assert [reasons[name] for name in ("Al3Si", "AlSi", "AlSi2")] == [None] * 3
    assert document["left_out"] == ["ZnO"]
    assert [(above["count"], above["of"]) for above in document["fractions"]] == [(2, 6), (2, 6), (2, 6)]
    assert {path.name for path in (tmp_path / "png").iterdir()} == {
        "index.html",
        "parity_distribution.png",
        "parity_plot.png",
        "parity_curves.png",
    }
    rows = (tmp_path / "csv" / "parity.csv").read_text().splitlines()
    assert len(rows) == 1 + 6
    code, out, _ = parity(*campaign)
    assert code == 0
    assert "2 of 6" in out
    assert "3 of 6 have no score and count as below every threshold" in out
    assert "left out: ZnO" in out


def test_two_tables_have_figures_and_tables_too(
    campaign: tuple[Path, Path], tmp_path: Path, parity: Callable[..., Result]
) -> None:
    words = ("--csv", tmp_path / "csv", "--figures", tmp_path / "png", "--json")
    code, out, _ = parity(campaign[0] / "DFT_AlSi.csv", campaign[1] / "AlSi.csv", *words)
    assert code == 0
    assert json.loads(out)["r2_error"] is None, "two tables without frames"
    assert (tmp_path / "png" / "parity_curves.png").exists()
    header, row = (tmp_path / "csv" / "parity.csv").read_text().splitlines()
    assert float(dict(zip(header.split(","), row.split(","), strict=True))["r2"]) == json.loads(out)["r2"]


@pytest.mark.reference("zheng2024/rdf")
def test_the_published_pairs_as_a_campaign(parity: Callable[..., Result]) -> None:
    code, out, _ = parity(PUBLISHED / "DFT_*.csv", PUBLISHED / "M3GNet_*.csv", "--json")
    assert code == 0
    fractions = json.loads(out)["fractions"]
    assert [(above["count"], above["of"]) for above in fractions] == [(146, 158), (133, 158), (114, 158)]
    # Zheng et al. 2024, of 245 compositions
    for above, published in zip(fractions, (0.91, 0.85, 0.68), strict=True):
        assert above["interval"]["low"] < published < above["interval"]["high"]


def walk(path: Path, seed: int, step_a: float, symbols: str = "Li24F24") -> Path:
    """Atoms of a Brownian walk in a dense box."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 9, (48, 3))
    steps = rng.normal(scale=step_a, size=(300, 48, 3)).cumsum(axis=0)
    write(path, [Atoms(symbols, positions=start + moved, cell=[9] * 3, pbc=True) for moved in steps])
    return path


def test_two_trajectories_compare_motion_and_descriptors_too(tmp_path: Path, parity: Callable[..., Result]) -> None:
    slow, fast = walk(tmp_path / "slow.extxyz", 1, 0.3), walk(tmp_path / "fast.extxyz", 2, 0.6)
    words = ("--species", "Li", "--timestep", "10", "--temperature", "1000")
    code, out, err = parity(slow, fast, *words, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["r2_error"] > 0
    ratios = {entry["species"]: entry for entry in document["diffusivities"]}
    for element in ("Li", "F"):
        low, high = (ratios[element]["ratio_interval"][end] for end in ("low", "high"))
        assert low < 4 < high, "twice the step is four times the diffusivity"
        assert ratios[element]["agree"] is False
    assert "AASD" in {descriptor["name"] for descriptor in document["descriptors"]}
    code, out, _ = parity(slow, fast, *words)
    assert code == 0
    assert "ratio" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("dft", "--species", "Li"), "--engine that computes it"),
        (("dft", "mlip", "--engine", "chgnet"), "either B or an --engine"),
        (("dft/DFT_AlSi.csv", "mlip/AlSi.csv", "--species", "Al"), "needs two trajectories"),
        (("dft", "mlip", "--species", "Al"), "not folders"),
        (("dft", "mlip", "--formula", "AlSi"), "for an --engine"),
        (("dft", "nothing*"), "no file there"),
        (("dft/DFT_Li2O.csv", "dft/nothing.csv"), "cannot be read"),
        (("dft/DFT_Li3O.csv", "mlip/Li3O.csv"), "nothing in common"),
        (("dft", "--engine", "chgnet", "--formula", "NaCl"), "no reference of NaCl"),
        (("dft", "--engine", "chgnet", "--formula", "AlSi", "--temperature", "300"), "melts at 5000 K"),
    ],
)
def test_bad_input_gets_one_line(
    words: tuple[str, ...],
    message: str,
    campaign: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    parity: Callable[..., Result],
) -> None:
    monkeypatch.chdir(campaign[0].parent)
    code, _, err = parity(*words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_other_compositions_and_temperatures_are_refused(tmp_path: Path, parity: Callable[..., Result]) -> None:
    code, _, err = parity(walk(tmp_path / "a.extxyz", 1, 0.1), walk(tmp_path / "b.extxyz", 1, 0.1, "Li32F16"))
    assert code == 2
    assert "is LiF and" in err
    assert "is Li2F" in err
    paths = []
    for kelvin in (1000.0, 1200.0):
        paths.append(tmp_path / f"{kelvin:.0f}.h5")
        rng = np.random.default_rng(0)
        Trajectory.from_arrays(
            numbers=[18] * 8,
            positions=rng.uniform(0, 8, (4, 8, 3)),
            cells=8.0 * np.eye(3),
            times_fs=np.arange(4.0),
            series={"temperature_k": np.full(4, kelvin)},
        ).save(paths[-1])
    code, _, err = parity(*paths)
    assert code == 2
    assert "at 1000 K" in err
    assert "at 1200 K" in err


@pytest.mark.slow
def test_an_engine_takes_the_place_of_the_other_side(tmp_path: Path, parity: Callable[..., Result]) -> None:
    protocol = tmp_path / "short.yaml"
    protocol.write_text(
        "name: short\ntimestep_fs: 4.0\npacking: {n_atoms: 32}\n"
        "steps: [{kind: hold, name: melt, temperature_k: 80, time_ps: 2.0}]\n"
    )
    r = np.linspace(0, 8, 81)
    rows = [f"{x:.2f},{1 + np.exp(-4 * (x - 3.7) ** 2):.5f}" for x in r]
    (tmp_path / "Ar.csv").write_text("\n".join(["r,Ar-Ar", *rows]))
    words = ("--engine", "lennard-jones", "--protocol", protocol, "--store", tmp_path / "store", "--json")
    code, out, _ = parity(tmp_path / "Ar.csv", *words, "--csv", tmp_path / "csv")
    assert code == 0
    document = json.loads(out)
    assert document["scores"][0]["status"] == "scored"
    assert document["provenance"]["engine"] == "lennard-jones"
    code, again, _ = parity(tmp_path / "Ar.csv", tmp_path / "csv" / "RDF_Ar.csv", "--json")
    assert json.loads(again)["r2"] == pytest.approx(document["scores"][0]["r2"]["value"], abs=1e-4)


def test_other_elements_are_named(tmp_path: Path, parity: Callable[..., Result]) -> None:
    code, _, err = parity(gas(tmp_path / "a.extxyz", 1), gas(tmp_path / "b.extxyz", 1, "Ne64"))
    assert code == 2
    assert "Ar-Ar, Ne-Ne is in one of the two only" in err
