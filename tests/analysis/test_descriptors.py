"""Descriptors of states, and the fingerprint of what computes them."""

import shutil
from pathlib import Path

import pytest
from tests.descriptors.crystals import rock_salt
from tests.jobs.learning_rows import melted, trajectory_of
from tests.test_imports import imports_of, loaded_with, modules

import tachylite
from tachylite.analysis.descriptors import (
    SOURCES,
    compute_state_descriptors,
    descriptor_fingerprint,
    fingerprint_of_sources,
)

PACKAGE = Path(tachylite.__file__).parent


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package in another place."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(PACKAGE, tmp_path / "elsewhere", ignore=ignored))


def test_long_trajectories_are_thinned() -> None:
    crystal = rock_salt()
    descriptors = compute_state_descriptors(melted(crystal, 1000, 1e-5), trajectory_of(crystal, 150), "Li", "exact")
    assert descriptors.n_frames == 75


def test_the_fingerprint_does_not_depend_on_place_line_ends_and_other_code(package: Path) -> None:
    registry = package / "descriptors" / "registry.py"
    registry.write_bytes(registry.read_bytes().replace(b"\n", b"\r\n"))
    (package / "descriptors" / "__pycache__").mkdir()
    (package / "descriptors" / "__pycache__" / "registry.py").write_text("compiled")
    (package / "descriptors" / "notes.txt").write_text("no code")
    (package / "__init__.py").write_text("__version__ = '99.0'\n")
    (package / "physics" / "composition.py").write_text("")
    assert fingerprint_of_sources(package) == fingerprint_of_sources(PACKAGE) == descriptor_fingerprint()


@pytest.mark.parametrize(
    ("source", "old", "new"),
    [
        ("descriptors/registry.py", '("AAV", "A^3"', '("AAV", "nm^3"'),
        ("descriptors/registry.py", "CUTOFF_A = 4.0", "CUTOFF_A = 4.1"),
        ("descriptors/structure.py", "_ANION_SHELL_A = 1.0", "_ANION_SHELL_A = 1.1"),
        ("descriptors/data/elements.json", '"Li"', '"Lj"'),
        ("physics/neighbors.py", "def find_neighbors", "def look_for_neighbors"),
        ("analysis/descriptors.py", "MAX_FRAMES = 100", "MAX_FRAMES = 200"),
    ],
)
def test_every_change_of_definitions_code_and_data_is_another_fingerprint(
    package: Path, source: str, old: str, new: str
) -> None:
    text = (package / source).read_text(encoding="utf-8")
    assert old in text
    (package / source).write_text(text.replace(old, new), encoding="utf-8")
    assert fingerprint_of_sources(package) != fingerprint_of_sources(PACKAGE)


def test_a_module_that_is_renamed_is_another_fingerprint(package: Path) -> None:
    (package / "descriptors" / "path.py").rename(package / "descriptors" / "paths.py")
    assert fingerprint_of_sources(package) != fingerprint_of_sources(PACKAGE)


def test_all_code_that_descriptors_need_is_among_the_sources() -> None:
    paths = modules()
    graph = {
        name: imports_of(path.read_text(encoding="utf-8"), name, path.name == "__init__.py")
        for name, path in paths.items()
    }
    needed = {
        paths[name].relative_to(PACKAGE).as_posix()
        for descriptors in graph
        if descriptors.startswith("tachylite.descriptors")
        for name in loaded_with(descriptors, graph)
    }
    packages = {"__init__.py", "physics/__init__.py"}
    left_out = {name for name in needed - packages if not name.startswith(SOURCES)}
    assert not left_out, f"add to SOURCES: {sorted(left_out)}"
