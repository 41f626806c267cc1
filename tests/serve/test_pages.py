"""What the pages show of a store of small real runs."""

import csv
import io
import re
from pathlib import Path

import h5py
import pytest
from ase.io import read
from pymatgen.core import Lattice, Structure
from starlette.testclient import TestClient

from tachylite.configs import load_protocol
from tachylite.schemas import Material, Trajectory
from tachylite.schemas.campaign import Campaign, Launcher
from tachylite.serve.application import make_application
from tachylite.serve.gate import Access
from tachylite.stores import load_trajectory, open_store
from tachylite.stores.campaigns import keep_campaign


def formulas(browser: TestClient, words: str = "") -> list[str]:
    """Formulas of the materials that the list shows, in its order."""
    answer = browser.get(f"/materials.json{words}")
    assert answer.status_code == 200, answer.text
    return [row["formula"] for row in answer.json()]


def test_the_list_has_every_material_and_names_what_cannot_be_read(browser: TestClient) -> None:
    page = browser.get("/materials").text
    assert sorted(formulas(browser)) == ["Cu", "Cu3Au", "CuAu"]
    assert page.count("A document cannot be read") == 2
    assert "schema version 99" in page
    assert "of no kind" in page


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("?formula=CuCu2Au", {"Cu3Au"}),
        ("?element=Au&element=Cu&protocol=tiny&engine=ase", {"Cu3Au", "CuAu"}),
        ("?element=Li", set()),
        ("?status=failed", set()),
    ],
)
def test_filters_give_what_matches(browser: TestClient, words: str, expected: set[str]) -> None:
    assert set(formulas(browser, words)) == expected


def test_ranges_and_order_are_those_of_the_numbers(browser: TestClient) -> None:
    column = "melt_density_g_cm3"
    rows = browser.get(f"/materials.json?sort={column}&order=up").json()
    known = [row[column] for row in rows if row.get(column) is not None]
    assert len(known) > 1
    assert known == sorted(known)
    middle = (known[0] + known[-1]) / 2
    above = browser.get(f"/materials.json?least.{column}={middle}").json()
    assert [row[column] for row in above if row[column] < middle] == []
    assert len(above) == sum(value >= middle for value in known)


def test_the_csv_has_the_numbers_of_the_list(browser: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(browser.get("/materials.csv?formula=Cu3Au").text)))
    assert [float(row["melt_density_g_cm3"]) for row in rows] == [
        row["melt_density_g_cm3"] for row in browser.get("/materials.json?formula=Cu3Au").json()
    ]


def test_a_material_has_its_report_and_its_files(browser: TestClient, alloy: Material, place: Path) -> None:
    address = f"/materials/{alloy.material_id}/"
    page = browser.get(address).text
    assert "Partial radial distribution functions" in page
    assert "Melt against time" in page
    names = re.findall(r'href="files/([^"]+)"', page)
    answers = {name: browser.get(f"{address}files/{name}") for name in names}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert all("attachment" in answer.headers["content-disposition"] for answer in answers.values())
    assert Material.model_validate_json(answers["material.json"].content) == alloy
    glass = Structure.from_str(answers["structure_glass.cif"].text, fmt="cif")
    assert glass.composition.reduced_formula == "Cu3Au"
    (identity,) = alloy.result("melt").trajectory_ids
    stored = load_trajectory(open_store(place, create=False), identity)
    assert Trajectory(answers["trajectory_melt.h5md"].content) == stored
    with h5py.File(io.BytesIO(answers["trajectory_melt.h5md"].content)) as file:
        assert file["particles/all/position/value"].shape == stored.positions.shape
    frames = read(io.StringIO(answers["trajectory_melt.extxyz"].text), ":", format="extxyz")
    assert len(frames) == stored.n_frames
    rdf = next(csv.DictReader(io.StringIO(answers["table_melt_rdf.csv"].text)))
    assert "g_Au-Cu" in rdf


def test_the_player_has_the_frames_of_the_trajectory(browser: TestClient, alloy: Material, place: Path) -> None:
    (identity,) = alloy.result("melt").trajectory_ids
    stored = load_trajectory(open_store(place, create=False), identity)
    shown = browser.get(f"/materials/{alloy.material_id}/trajectories/{identity}").json()
    assert len(shown["frames"]) == stored.n_frames
    assert shown["times_ps"] == pytest.approx(stored.times_fs / 1000, abs=1e-6)
    assert len(shown["frames"][0]["positions"]) == alloy.n_atoms


def test_materials_stand_side_by_side(browser: TestClient) -> None:
    ids = [row["material_id"] for row in browser.get("/materials.json?protocol=tiny").json()][:3]
    page = browser.get("/compare?" + "&".join(f"id={identity}" for identity in ids)).text
    assert "Partial radial distribution functions" in page
    assert "Melt: " in page
    assert browser.get(f"/compare?id={ids[0]}").status_code == 400


def test_a_campaign_shows_its_members_and_its_diagram(browser: TestClient) -> None:
    (address,) = re.findall(r'<a href="(/campaigns/[^"]+/)"', browser.get("/campaigns").text)
    page = browser.get(address).text
    assert "<b>1</b> of 1 members" in page
    assert "hx-trigger" not in page, "a campaign that is done is not followed"
    assert "diagram" in browser.get(f"{address}screen/").text
    diagram = browser.get(f"{address}screen/systems/Au-Cu.js")
    assert diagram.text.startswith('window.received("Au-Cu"')
    (member,) = re.findall(r'"structures": \["(\w+)"', browser.get(f"{address}screen/").text)
    assert "positions" in browser.get(f"{address}screen/structures/{member}.js").text


def test_a_campaign_that_learns_a_potential_says_so(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    campaign = Campaign(
        campaign_id="potential-1",
        launcher=Launcher(launcher="fireworks"),
        cohorts=[["Li3PO4"]],
        material_ids=[],
        engine="espresso",
        protocol=load_protocol("quickstart"),
        seed=0,
        workdir="work",
    )
    keep_campaign(store, campaign)
    with TestClient(make_application(store, Access()), base_url="http://localhost") as client:
        for address in ("/campaigns", "/campaigns/potential-1/"):
            page = client.get(address).text
            assert "It learns a potential of Li3PO4" in page
            assert "<progress" not in page


def test_a_model_answers_about_states_in_the_store_and_about_a_file(browser: TestClient, alloy: Material) -> None:
    (address,) = re.findall(r'<a href="(/models/[0-9a-f]{16}/)"', browser.get("/models").text)
    assert "Importance" in browser.get(address).text
    answer = browser.post(address, data={"formula": "Cu3Au"})
    assert "2500" in answer.text
    assert "distance / limit" in answer.text
    structure = browser.get(f"/materials/{alloy.material_id}/files/structure_glass.extxyz").content
    sent = browser.post(address, data={"temperature_k": "1200"}, files={"file": ("any.extxyz", structure)})
    assert "1200" in sent.text
    assert "Cu₃Au" in sent.text
    for files in ({"file": ("evil.pckl", b"cos\nsystem\n")}, {"file": ("evil.cif", b"\x00\xff" * 50)}):
        assert browser.post(address, data={"temperature_k": "1200"}, files=files).status_code == 400


def test_a_model_that_comes_with_the_package_answers_about_a_crystal(browser: TestClient) -> None:
    address = "/models/amorphization-enthalpy/"
    assert "unseen chemical systems" in browser.get(address).text
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.21), ["Mg", "O"], [(0, 0, 0), (0.5, 0.5, 0.5)])
    answer = browser.post(address, files={"file": ("MgO.cif", crystal.to(fmt="cif").encode())})
    assert "MgO" in answer.text
    assert "eV/atom" in answer.text
    crystal.make_supercell(6)
    many = browser.post(address, files={"file": ("MgO.cif", crystal.to(fmt="cif").encode())})
    assert (many.status_code, "more than 1000 atoms" in many.text) == (400, True)


def test_nothing_is_written(browser: TestClient, place: Path, alloy: Material) -> None:
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    for address in ("/materials", f"/materials/{alloy.material_id}/", "/campaigns", "/models"):
        assert browser.get(address).status_code == 200
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
