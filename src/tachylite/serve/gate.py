"""What every request passes before it reaches a page: who may ask, from where, how much and for how long."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tachylite.errors import InputError

COOKIE = "tachylite"
LARGEST_UPLOAD = 2_000_000
"""Bytes of the body of a request, of which a structure is the largest."""

_LONGEST_ADDRESS = 8000
_BODY_S = 20.0
"""Within which a body must have come."""

_SHORTEST_TOKEN = 16
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OPEN = ("/login", "/static/")
"""Addresses that need no token: the page that asks for it, and its style."""


def _hash_of(style: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


_STYLES = f"{_hash_of('')} 'unsafe-hashes' {_hash_of('font-size:70%')}"
"""Styles that plotly sets inside the page: an empty element, which it fills by rules, and that of exponents."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'self'; style-src 'self' {_STYLES}; img-src 'self' data: blob:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Access:
    """Who may read: everybody on this machine, or whoever has the token."""

    token: str | None = None

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < _SHORTEST_TOKEN:
            raise InputError(
                f"the token has {len(self.token)} characters; it needs {_SHORTEST_TOKEN} that none guesses"
            )

    @classmethod
    def for_host(cls, host: str, token: str | None) -> "Access":
        """Access for readers of an address; raises InputError where others could read without a token."""
        if token is None and host not in _LOOPBACK:
            raise InputError(
                f"--host {host} can be reached from other machines; set TACHYLITE_TOKEN (or --token) to a secret of "
                f"{_SHORTEST_TOKEN} characters, like that of: openssl rand -hex 16"
            )
        return cls(token)

    @property
    def cookie(self) -> str:
        """What the browser keeps in place of the token."""
        return hmac.new((self.token or "").encode(), b"reader", hashlib.sha256).hexdigest()

    def is_token(self, text: str) -> bool:
        """Whether a text is the token, in a time that does not depend on where they differ."""
        return self.token is not None and hmac.compare_digest(text.encode(), self.token.encode())

    def allows(self, headers: Headers) -> bool:
        """Whether a request carries the token, or the cookie made of it, or needs none."""
        if self.token is None:
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self.is_token(given.strip())
        kept = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        return hmac.compare_digest(kept.encode(), self.cookie.encode())


class Gate:
    """Refuses what is not for the pages, and gives every answer the headers that keep a browser safe."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        safe_send = _with_headers(send)
        refusal = self._refusal(scope)
        if refusal is not None:
            await PlainTextResponse(refusal[1] + "\n", refusal[0])(scope, receive, safe_send)
            return
        try:
            await self.app(scope, _limited(receive), safe_send)
        except _TooMuchError:
            await PlainTextResponse("the upload is too large or too slow\n", 413)(scope, receive, safe_send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason where a request is refused."""
        headers = Headers(scope=scope)
        host = _host(headers.get("host", ""))
        path: str = scope["path"]
        # a name of elsewhere that was made to lead here would let pages of that name read the answers
        if self.access.token is None and host not in _LOOPBACK:
            return 421, "this server answers to localhost; others need a token"
        if len(path) + len(scope.get("query_string", b"")) > _LONGEST_ADDRESS:
            return 414, "the address is too long"
        if scope["method"] not in {"GET", "HEAD", "POST"}:
            return 405, "only reading"
        if not self.access.allows(headers) and not path.startswith(_OPEN):
            return 401, "a token is needed: /login asks for it, programs send it as Authorization: Bearer TOKEN"
        if scope["method"] == "POST":
            return _refused_post(headers)
        return None


class _TooMuchError(Exception):
    """A body is too large, or comes too slowly."""


def _refused_post(headers: Headers) -> tuple[int, str] | None:
    origin = headers.get("origin")
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"} or (
        origin is not None and urlsplit(origin).netloc != headers.get("host")
    ):
        return 403, "forms of other sites are not read"
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST_UPLOAD:
        return 413, f"the upload is larger than {LARGEST_UPLOAD // 1_000_000} MB"
    return None


def _host(text: str) -> str:
    """The name in a Host header, without port and brackets; empty where it is malformed."""
    try:
        return urlsplit(f"//{text}").hostname or ""
    except ValueError:
        return ""


def _limited(receive: Receive) -> Receive:
    """Refuse a body that goes on beyond the limit, or whose parts do not come."""
    taken, is_whole = 0, False

    async def limited() -> Message:
        nonlocal taken, is_whole
        try:
            # what comes after the body, that the reader has left, may take long
            message = await asyncio.wait_for(receive(), None if is_whole else _BODY_S)
        except TimeoutError:
            raise _TooMuchError from None
        taken += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if taken > LARGEST_UPLOAD:
            raise _TooMuchError
        return message

    return limited


def _with_headers(send: Send) -> Send:
    async def safe_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "private, no-cache")
        await send(message)

    return safe_send
