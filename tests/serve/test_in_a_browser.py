"""The pages in a real browser: drawn under the policy of the server, and usable without seeing or pointing."""

import html
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.report.test_browser import CHROMIUM, body_of, open_address

from tachylite.schemas import Material
from tachylite.serve.application import make_application
from tachylite.serve.gate import Access
from tachylite.stores import open_store

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH (Debian: apt-get install chromium)"),
]

OF_MAPS = "sha256-ji27"
"""A style of plotly's maps, which no page draws and the policy refuses."""

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
PROBE = """
const told = document.body.dataset;
addEventListener("load", () => setTimeout(async () => {
  const play = document.getElementById("structure-play"), chooser = document.getElementById("structure-choice");
  if (chooser && chooser.options.length > 1) {
    const trajectory = [...chooser.options].findIndex((option) => option.text.endsWith("trajectory"));
    chooser.value = String(trajectory);
    chooser.dispatchEvent(new Event("change"));
    await new Promise((done) => setTimeout(done, 1500));
    play.click();
    await new Promise((done) => setTimeout(done, 500));
    told.played = document.getElementById("structure-time").textContent;
    play.click();
  }
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run({ runOnly: rules });
  told.axe = JSON.stringify(violations.map((v) => [v.id, v.nodes.slice(0, 3).map((node) => node.html.slice(0, 120))]));
  told.wide = String(Math.max(0, document.documentElement.scrollWidth - innerWidth));
}, 500));
"""


class Probed:
    """An application whose pages also load axe-core and a script that writes what it finds on the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/probe.js":
            await Response(AXE + PROBE, media_type="text/javascript")(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        plain = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        started: Message = {}
        body = b""

        async def keep(message: Message) -> None:
            nonlocal started, body
            if message["type"] == "http.response.start":
                started = message
            else:
                body += message.get("body", b"")

        await self.app({**scope, "headers": plain}, receive, keep)
        body = body.replace(b"</body>", b'<script src="/probe.js"></script></body>')
        headers = [pair for pair in started["headers"] if pair[0] != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await send({**started, "headers": headers})
        await send({"type": "http.response.body", "body": body})


DESKTOP = ("--window-size=1300,900",)
DARK_PHONE = ("--window-size=500,900", "--blink-settings=preferredColorScheme=0")
PATHS = (
    *("/materials?element=Cu", "/materials/{material}/", "/compare?{ids}", "/campaigns", "/campaigns/{campaign}/"),
    *("/campaigns/{campaign}/screen/", "/models", "/models/{model}/", "/login", "/nothing"),
)


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[str]:
    """The address of the pages, with the probe in them."""
    store = open_store(place, create=False)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(Probed(make_application(store, Access())), log_level="warning", ws="none")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, args=([listening],))
    thread.start()
    while not running.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    running.should_exit = True
    thread.join(30)
    store.close()


def look(address: str, profile: Path, *more: str) -> tuple[dict[str, Any], list[str]]:
    """What stands on the body after the probe has run, and what the console said of ours."""
    document, console = open_address(address, profile, "--dump-dom", *more)
    told = {name: html.unescape(text) for name, text in body_of(document).items()}
    return told, [line for line in console.splitlines() if OF_MAPS not in line]


@pytest.mark.parametrize("more", [DESKTOP, DARK_PHONE], ids=["desktop", "dark phone"])
@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_drawn_and_accessible(
    server: str, alloy: Material, tmp_path: Path, path: str, more: tuple[str, ...]
) -> None:
    def first(page: str, pattern: str) -> str:
        return str(re.findall(pattern, httpx.get(f"{server}{page}", timeout=60).text)[0])

    names = {
        "material": alloy.material_id,
        "ids": "&".join(
            f"id={row['material_id']}" for row in httpx.get(f"{server}/materials.json", timeout=60).json()[:3]
        ),
        "campaign": first("/campaigns", r'href="/campaigns/([^/"]+)/"'),
        "model": first("/models", r'href="/models/([0-9a-f]{16})/"'),
    }
    told, console = look(f"{server}{path.format(**names)}", tmp_path, *more)
    assert told.get("errors") is None
    assert json.loads(told["axe"]) == []
    assert told["wide"] == "0", "what is wider than the screen scrolls in its own place"
    assert [line for line in console if "404" not in line] == []
    if path == "/materials/{material}/":
        assert told["drawn"] == told["figures"]
        assert float(told["played"].removesuffix(" ps")) > 0
