"""Campaigns that ship as pages: their protocols load, and the page names the command that runs them."""

from pathlib import Path

import pytest

from tachylite.configs import load_protocol
from tachylite.physics.composition import atom_counts, parse_formula

WORKFLOWS = sorted((Path(__file__).parents[1] / "workflows").glob("*/*.yaml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_protocol_of_a_workflow_loads(path: Path) -> None:
    load_protocol(str(path))
    page = (path.parent / "README.md").read_text(encoding="utf-8")
    assert f"--protocol workflows/{path.parent.name}/{path.name}" in page


def test_the_metallic_glass_has_as_many_atoms_as_its_page_says() -> None:
    protocol = load_protocol(str(Path(__file__).parents[1] / "workflows/cu64zr36/protocol.yaml"))
    sizes = {
        formula: sum(atom_counts(parse_formula(formula), protocol.packing.n_atoms).values())
        for formula in ("Cu69Zr39", "Cu64Zr36")
    }
    assert sizes == {"Cu69Zr39": 108, "Cu64Zr36": 100}
