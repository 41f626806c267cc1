"""From a face of a crystal and a composition, and from a slab under gas, to layers on the page."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write

from tachylite.cli import main
from tachylite.schemas.start import InterfaceStart
from tachylite.schemas.steps.hold import HoldResult
from tachylite.stores import find_materials, open_store

PRESS = """
timestep_fs: 4.0
record_every: 5
steps:
  - {kind: relax, name: settle, relax_cell: false}
  - {kind: hold, name: press, temperature_k: 300, time_ps: 0.4, pressure_gpa: 0, cell: normal}
  - {kind: hold, name: conduct, time_ps: 0.4, layers: LAYERS}
"""


@pytest.mark.parametrize(("layers", "answered"), [("3", True), ("40", False)])
def test_an_interface_leads_to_layers_on_the_page(tmp_path: Path, layers: str, answered: bool) -> None:
    write(tmp_path / "cu.cif", bulk("Cu", "fcc", 3.6))
    (tmp_path / "press.yaml").write_text(PRESS.replace("LAYERS", layers), encoding="utf-8")
    words = ("run", "CuAu", "--interface", f"{tmp_path}/cu.cif", "--face", "111", "--thickness", "6", "--width", "5")
    place = ("--engine", "ase:emt", "--store", f"{tmp_path}/store", "--report", f"{tmp_path}/report")
    assert main([*words, "--protocol", f"{tmp_path}/press.yaml", *place]) == 0
    (material,) = find_materials(open_store(tmp_path / "store"))
    assert isinstance(material.start, InterfaceStart)
    assert material.begins_as == "cu.cif (111) | CuAu"
    press, conduct = material.result("press"), material.result("conduct")
    assert isinstance(press, HoldResult)
    assert isinstance(conduct, HoldResult)
    assert press.final is not None
    assert conduct.final is not None
    plane = np.array(material.start.crystal.cell)[:2]
    assert (np.array(press.final.cell)[:2] == plane).all()
    assert (np.array(conduct.final.cell)[:2] == plane).all(), "at its mean height, the plane is still what it was"
    assert press.volume_a3 is not None
    assert conduct.final.volume_a3 == pytest.approx(press.volume_a3.value)
    assert press.response is None
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert ("Cu in layers of" in page) == answered
    if answered:
        assert conduct.layers is not None
        assert [element.species for element in conduct.layers.elements] == ["Au", "Cu"]
        assert (tmp_path / "report" / "figures" / "conduct_layers.png").exists()
    else:
        assert "40 layers along c are" in dict(conduct.refusals())["layers"]
        assert "40 layers along c are" in page
