import logging
import time
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import pytest
from pymatgen.core import Lattice, Structure

from tachylite.engines.materials_project import is_mp_id, materials_project_structure, starting_volume
from tachylite.errors import InputError
from tachylite.physics.composition import parse_formula
from tachylite.physics.volume import estimate_volume_per_atom

FORMULA = parse_formula("Li0.75P0.25O1")
ESTIMATE = estimate_volume_per_atom(FORMULA.fractions)
POLYMORPHS = [
    SimpleNamespace(volume=170.0, nsites=16, energy_above_hull=0.02),
    SimpleNamespace(volume=316.8, nsites=32, energy_above_hull=0.0),
]


class FakeClient:
    """Answers `materials.summary.search` as MPRester does."""

    def __init__(self, answer: Any, delay_s: float = 0.0) -> None:
        self.answer = answer
        self.delay_s = delay_s
        self.queries: list[dict[str, Any]] = []
        self.closed = False
        self.materials = SimpleNamespace(summary=SimpleNamespace(search=self._search))

    def _search(self, **query: Any) -> Any:
        self.queries.append(query)
        time.sleep(self.delay_s)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MP_API_KEY", raising=False)
    monkeypatch.delenv("PMG_MAPI_KEY", raising=False)


def test_without_a_key_nobody_is_asked() -> None:
    def connect(key: str) -> FakeClient:
        raise AssertionError(key)

    assert starting_volume(FORMULA, connect) == ESTIMATE


@pytest.mark.parametrize("variable", ["MP_API_KEY", "PMG_MAPI_KEY"])
def test_lowest_polymorph_gives_the_volume(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "a key")
    client = FakeClient(POLYMORPHS)
    keys: list[str] = []

    def connect(key: str) -> FakeClient:
        keys.append(key)
        return client

    volume = starting_volume(FORMULA, connect)
    assert volume.volume_a3_per_atom == pytest.approx(9.9)
    assert volume.source == "Materials Project"
    assert keys == ["a key"]
    assert client.queries[0]["formula"] == "Li3PO4"
    assert client.closed


@pytest.mark.parametrize(
    ("answer", "delay_s", "reason"),
    [
        (ConnectionError("no route to host\nmore"), 0.0, "no route to host"),
        (RuntimeError(), 0.0, "RuntimeError"),
        ([], 0.0, "no entry of Li3PO4"),
        (POLYMORPHS, 0.5, "no answer within 0.1 s"),
    ],
)
def test_trouble_falls_back_to_the_estimate_with_a_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: Any, delay_s: float, reason: str
) -> None:
    monkeypatch.setenv("MP_API_KEY", "a key")
    with caplog.at_level(logging.WARNING):
        volume = starting_volume(FORMULA, lambda _: FakeClient(answer, delay_s), time_limit_s=0.1 if delay_s else 5.0)
    assert volume == ESTIMATE
    (record,) = caplog.records
    assert reason in record.getMessage()
    assert "\n" not in record.getMessage()


def test_a_missing_client_falls_back_too(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("MP_API_KEY", "a key")
    monkeypatch.setitem(__import__("sys").modules, "mp_api.client", None)
    assert starting_volume(FORMULA) == ESTIMATE
    assert "mp_api" in caplog.text


class CrystalClient(FakeClient):
    """Answers `get_structure_by_material_id` as MPRester does."""

    def get_structure_by_material_id(self, material_id: str, *, conventional_unit_cell: bool) -> Structure:
        if isinstance(self.answer, Exception):
            raise self.answer
        assert (material_id, conventional_unit_cell) == ("mp-30", True)
        structure: Structure = self.answer
        return structure


def test_a_structure_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_mp_id("mp-30")
    assert not is_mp_id("mp-30.cif")
    with pytest.raises(
        InputError, match="mp-30 is asked from the Materials Project, which needs a key; set MP_API_KEY"
    ):
        materials_project_structure("mp-30")
    monkeypatch.setenv("MP_API_KEY", "secret")
    copper = Structure(Lattice.cubic(3.6), ["Cu"], [[0, 0, 0]])
    assert materials_project_structure("mp-30", lambda key: CrystalClient(copper)) == copper
    with pytest.raises(InputError, match="no structure of mp-30 from the Materials Project: unknown id"):
        materials_project_structure("mp-30", lambda key: CrystalClient(ValueError("unknown id\nmore")))
