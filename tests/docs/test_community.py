"""What the pages beside the documentation promise: links that lead somewhere, a citation of this version."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import tachylite

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "workflows").rglob("*.md")])
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, BUILD = SETTINGS["project"], SETTINGS["build-system"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_files_lead_somewhere(page: Path) -> None:
    """Those inside of `docs/` are followed where the site is built."""
    targets = re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_citation_is_of_this_version() -> None:
    """With the keys that version 1.2.0 of the format requires."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert all(author.keys() & {"name", "family-names"} for author in citation["authors"])
    assert citation["version"] == tachylite.__version__
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == PROJECT["urls"]["Documentation"]
    assert citation["keywords"] == PROJECT["keywords"]


def test_every_extra_is_on_the_page_about_installing() -> None:
    page = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
    named = {name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named == PROJECT["optional-dependencies"].keys() - {"services"}


def test_the_conda_recipe_asks_for_what_the_package_does() -> None:
    recipe = yaml.safe_load((ROOT / "packaging" / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
    python, *run = recipe["requirements"]["run"]
    names = {"matplotlib-base": "matplotlib", "pytorch": "torch"}
    asked = {names.get(name, name) + version for name, version in (text.split() for text in run)}
    assert asked == set(PROJECT["dependencies"])
    least = f">={recipe['context']['python_min']}"
    assert (python, PROJECT["requires-python"]) == ("python >=${{ python_min }}", least)
    assert recipe["context"]["version"] == tachylite.__version__
    assert {text.replace(" ", "") for text in recipe["requirements"]["host"][2:]} == set(BUILD["requires"])
    assert recipe["build"]["python"]["entry_points"] == [f"{n} = {f}" for n, f in PROJECT["scripts"].items()]
    assert recipe["about"]["summary"] == PROJECT["description"]
    assert recipe["about"]["license"] == PROJECT["license"]
    assert (ROOT / "packaging" / "conda" / recipe["source"]["path"]).resolve() == ROOT


def test_issue_forms_have_what_the_site_of_the_repository_requires() -> None:
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) == 3
    for form in forms:
        content = yaml.safe_load(form.read_text(encoding="utf-8"))
        if form.name == "config.yml":
            assert all(link.keys() == {"name", "url", "about"} for link in content["contact_links"])
            continue
        assert {"name", "description", "body"} <= content.keys()
        assert all({"type", "id", "attributes"} <= field.keys() for field in content["body"])
        assert all("label" in field["attributes"] for field in content["body"])
