"""Pages are made once for each version of what they show, and not sent to a browser that still has them."""

import threading
import time
from pathlib import Path

import pytest
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from starlette.testclient import TestClient
from tests.stores.store_samples import later, make_material, put

from tachylite.schemas import Material
from tachylite.serve.answers import Answers
from tachylite.serve.application import make_application
from tachylite.serve.gate import Access
from tachylite.stores import open_store


def request(path: str = "/page", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": raw})


class Pages:
    """Makes pages of some length, and counts them."""

    def __init__(self, length: int = 10) -> None:
        self.made = 0
        self.length = length

    def __call__(self) -> Response:
        self.made += 1
        return HTMLResponse(f"{self.made:0{self.length}d}")


def test_a_page_is_made_again_where_what_it_shows_is_new() -> None:
    answers, pages = Answers(), Pages()
    bodies = [answers.give(request(), version, pages).body for version in (1, 1, 2, 2, 1)]
    assert bodies == [b"0000000001", b"0000000001", b"0000000002", b"0000000002", b"0000000003"]


def test_what_was_not_asked_for_lately_leaves_the_memory() -> None:
    answers, pages = Answers(most_bytes=400), Pages()
    for number in range(20):
        answers.give(request(f"/{number}"), 1, pages)
        answers.give(request("/0"), 1, pages)
    assert pages.made == 20, "the one that is asked for again and again is kept"
    answers.give(request("/1"), 1, pages)
    assert pages.made == 21
    assert answers._bytes <= 400


def test_a_failure_is_not_kept() -> None:
    answers = Answers()

    def fail() -> Response:
        raise LookupError("no such page")

    for _ in range(5):
        with pytest.raises(LookupError):
            answers.give(request(), 1, fail)
    assert answers.give(request(), 1, Pages()).status_code == 200


def test_readers_who_ask_at_once_share_one_page() -> None:
    answers, pages = Answers(), Pages()

    def slow() -> Response:
        time.sleep(0.05)
        return pages()

    readers = [threading.Thread(target=answers.give, args=(request(), 1, slow)) for _ in range(20)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert pages.made <= 2


def test_a_browser_that_has_the_page_is_told_so(browser: TestClient, alloy: Material) -> None:
    for address in ("/materials", f"/materials/{alloy.material_id}/"):
        first = browser.get(address)
        again = browser.get(address, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
        assert browser.get(address, headers={"if-none-match": '"other"'}).content == first.content
        assert browser.get(address, headers={"accept-encoding": "identity"}).content == first.content


def test_a_material_that_is_replaced_is_shown_anew(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    put(store, make_material("NaCl", material_id="salt"))
    application = make_application(store, Access())
    with TestClient(application, base_url="http://localhost") as client:
        first = client.get("/materials/salt/")
        put(store, make_material("KBr", elements=["Br", "K"], material_id="salt", created_at=later(1)))
        application.app.state.contents.table.refresh()  # type: ignore[attr-defined]  # an ASGI application may be anything
        assert "KBr" in client.get("/materials/salt/", headers={"if-none-match": first.headers["etag"]}).text
        assert "KBr" in client.get("/materials").text
    store.close()
