"""The page in a real browser: everything is drawn, nothing complains, nothing is fetched."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.report.report_pieces import Case

from tachylite.report.pages.material import write_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH (Debian: apt-get install chromium)"),
]


def open_page(page: Path, profile: Path, *more: str, fragment: str = "") -> tuple[str, str]:
    """The document in a file after its scripts have run, and what the browser's console said."""
    return open_address(page.as_uri() + fragment, profile, *more)


def open_address(address: str, profile: Path, *more: str) -> tuple[str, str]:
    """The document at an address, as `open_page` gives it."""
    command = [
        str(CHROMIUM),
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        "--enable-unsafe-swiftshader",  # structures are drawn by WebGL, here without a graphics card
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--enable-logging=stderr", "--virtual-time-budget=10000", "--window-size=1400,6000"),
        f"--user-data-dir={profile}",
        *more,
        address,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    said = [line for line in done.stderr.splitlines() if ":CONSOLE" in line and "GL Driver Message" not in line]
    return done.stdout, "\n".join(said)


def body_of(document: str) -> dict[str, str]:
    tag = re.search(r"<body[^>]*>", document)
    assert tag
    return dict(re.findall(r'data-(\w+)="([^"]*)"', tag[0]))


@pytest.fixture(scope="module")
def pages(
    phosphate_case: Case, vapour_case: Case, partial_case: Case, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    cases = {"completed": phosphate_case, "vapour": vapour_case, "partial": partial_case}
    folder = tmp_path_factory.mktemp("pages")
    return {name: write_report(case.material, case.trajectories, folder / name) for name, case in cases.items()}


@pytest.mark.parametrize(("name", "figures"), [("completed", 23), ("vapour", 1), ("partial", 9)])
def test_every_figure_is_drawn_without_an_error(
    name: str, figures: int, pages: dict[str, Path], tmp_path: Path
) -> None:
    document, console = open_page(pages[name], tmp_path, "--dump-dom")
    body = body_of(document)
    assert body.get("errors") is None
    assert console == ""
    assert body["state"] == "ready"
    assert (body["figures"], body["drawn"]) == (str(figures), str(figures))
    # points and curves, not only empty axes
    assert len(re.findall(r'<path class="(?:point|js-line)', document)) >= 2 * (figures - 1)


def test_the_dark_mode_has_its_own_colours(pages: dict[str, Path], tmp_path: Path) -> None:
    dark = "--blink-settings=preferredColorScheme=0"
    document, console = open_page(pages["vapour"], tmp_path, "--dump-dom", dark)
    assert console == ""
    assert body_of(document)["mode"] == "dark"
    assert body_of(document)["drawn"] == "1"


def test_a_picture_of_the_page_is_not_blank(pages: dict[str, Path], tmp_path: Path) -> None:
    from matplotlib.image import imread

    picture = tmp_path / "page.png"
    open_page(pages["completed"], tmp_path / "profile", f"--screenshot={picture}")
    pixels = imread(picture)[..., :3]
    assert pixels.shape[:2] == (6000, 1400)
    # the structure, in the left upper part: lithium is violet, oxygen red
    corner = pixels[350:1000, 100:560]
    red, green, blue = (corner[..., k] for k in range(3))
    assert ((blue > green + 0.2) & (red > green + 0.1)).mean() > 0.03
    assert ((red > green + 0.4) & (red > blue + 0.4)).mean() > 0.01
