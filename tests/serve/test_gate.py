"""Who gets in, and two hundred requests that want more than reading: none succeeds, none breaks the program."""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tachylite.errors import InputError
from tachylite.schemas import Material
from tachylite.serve.application import make_application
from tachylite.serve.gate import LARGEST_UPLOAD, Access
from tachylite.stores import open_store

TOKEN = "d41d8cd98f00b204e9800998ecf8427e"  # noqa: S105 - of this test
OPERATORS = ("$ne", "$gt", "$where", "$regex", "$expr", "__proto__", "0")
TRAVERSAL = (
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "%2e%2e/%2e%2e/etc/passwd",
    "..%5c..%5cwindows%5cwin.ini",
    "/etc/passwd",
    "material.json%00.cif",
    "file:///etc/passwd",
    "documents/tachylite/outputs.collection",
)
TEXTS = (
    '{"$ne": null}',
    "' or 1=1 --",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "\x00",
    "A" * 3000,
    "9" * 400,
    "nan",
    "1e999",
    "\ud7ff\U0010ffff",
    "Li(((((((((((((((((((((O",
    "${jndi:ldap://x}",
)
PARAMETERS = ("formula", "element", "engine", "protocol", "status", "campaign", "column", "sort", "order", "page")


@pytest.fixture(scope="module")
def guarded(place: Path) -> Iterator[TestClient]:
    """A server for others, with a token."""
    store = open_store(place, create=False)
    with TestClient(make_application(store, Access(TOKEN)), base_url="http://store.example.org") as client:
        yield client
    store.close()


def hostile(alloy: Material) -> Iterator[tuple[str, str]]:
    """Addresses that ask for what no page gives, and where none of the answers may be a success with content."""
    for name, operator in itertools.product(PARAMETERS, OPERATORS):
        yield "operator", f"/materials?{name}[{operator}]=x"
    for path in TRAVERSAL:
        for before in (
            "/static/",
            f"/materials/{alloy.material_id}/files/",
            f"/materials/{alloy.material_id}/trajectories/",
            "/materials/",
            "/campaigns/",
            "/models/",
        ):
            yield "traversal", f"{before}{path}"
    for name in ("element", "status", "column", "sort", "order", "page", "least.melt_density_g_cm3", "least.x", "x"):
        for text in TEXTS:
            yield "malformed", f"/materials?{name}=" + "".join(f"%{byte:02x}" for byte in text.encode())


def test_two_hundred_hostile_requests_get_nothing(browser: TestClient, alloy: Material) -> None:
    requests = list(hostile(alloy))
    assert len(requests) >= 200
    for kind, address in requests:
        answer = browser.get(address)
        assert 400 <= answer.status_code < 500, (kind, address, answer.status_code)
        assert "Traceback" not in answer.text
        assert "root:" not in answer.text
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize("text", TEXTS)
def test_free_texts_match_nothing_or_are_refused(browser: TestClient, text: str) -> None:
    """A formula, an engine and a protocol may be any words; as they stand in no document, there is no row."""
    for name in ("formula", "engine", "protocol", "campaign"):
        answer = browser.get("/materials.json", params={name: text})
        assert answer.status_code < 500
        assert answer.status_code >= 400 or answer.json() == []


@pytest.mark.parametrize(
    ("method", "status"), [("PUT", 405), ("DELETE", 405), ("PATCH", 405), ("OPTIONS", 405), ("TRACE", 405)]
)
def test_only_reading(browser: TestClient, method: str, status: int) -> None:
    assert browser.request(method, "/materials").status_code == status


@pytest.mark.parametrize("host", ["evil.example.org", "localhost.evil.org", "127.0.0.1.nip.io", "[::1", "", "10.0.0.1"])
def test_a_name_that_was_made_to_lead_here_is_refused(browser: TestClient, host: str) -> None:
    assert browser.get("/materials", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000"])
def test_this_machine_is_answered(browser: TestClient, host: str) -> None:
    assert browser.get("/materials", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer "}, {"authorization": f"Bearer {TOKEN[:-1]}"}, {"authorization": f"Basic {TOKEN}"},
     {"cookie": f"tachylite={TOKEN}"}, {"cookie": "tachylite="}, {"authorization": "Bearer \xff"}],
)  # fmt: skip
@pytest.mark.parametrize("address", ["/", "/materials", "/materials.json", "/campaigns", "/models", "/nothing"])
def test_without_the_token_nothing_is_shown(guarded: TestClient, address: str, headers: dict[str, str]) -> None:
    guarded.cookies.clear()
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = guarded.get(address, headers=raw)
    assert answer.status_code == 401
    assert "Cu" not in answer.text


def test_with_the_token_everything_is_shown(guarded: TestClient) -> None:
    guarded.cookies.clear()
    assert guarded.get("/materials", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert guarded.post("/login", data={"token": "wrong"}).status_code == 401
    assert guarded.post("/login", data={"token": TOKEN}, follow_redirects=False).status_code == 303
    assert TOKEN not in str(dict(guarded.cookies))
    assert guarded.get("/materials").status_code == 200
    guarded.cookies.clear()


def test_forms_of_other_sites_are_not_read(browser: TestClient) -> None:
    for headers in ({"origin": "http://evil.example.org"}, {"sec-fetch-site": "cross-site"}):
        assert browser.post("/models/any/", headers=headers, data={"formula": "Cu"}).status_code == 403


@pytest.mark.parametrize(("declared", "status"), [(True, 413), (False, 400)])
def test_a_large_upload_is_cut_off(browser: TestClient, declared: bool, status: int) -> None:
    body = b"x" * (LARGEST_UPLOAD + 1)
    address = re.findall(r'<a href="(/models/[0-9a-f]{16}/)"', browser.get("/models").text)[0]
    kind = {"content-type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.cif"\r\n\r\n'
    content: bytes | Iterator[bytes] = head + body if declared else iter([head, body])
    assert browser.post(address, content=content, headers=kind).status_code == status


def test_every_answer_has_the_headers(browser: TestClient) -> None:
    for address in ("/materials", "/nothing", "/static/browser.css", "/materials?x=1"):
        headers = browser.get(address).headers
        policy = headers["content-security-policy"]
        assert "unsafe-inline" not in policy
        assert "unsafe-eval" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Access.for_host("0.0.0.0", None), "TACHYLITE_TOKEN"),  # noqa: S104 - the refusal is tested
        (lambda: Access.for_host("192.168.0.3", None), "other machines"),
        (lambda: Access.for_host("127.0.0.1", "short"), "5 characters"),
    ],
)
def test_other_machines_need_a_secret(make: Callable[[], Access], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()
