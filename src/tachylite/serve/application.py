"""The application: pages of a store behind the gate."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI, Form, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from tachylite.errors import InputError
from tachylite.serve import campaigns, materials, models
from tachylite.serve.contents import Contents, NotThereError
from tachylite.serve.gate import COOKIE, Access, Gate
from tachylite.serve.rendering import prepare, show, static_files

if TYPE_CHECKING:
    from jobflow import JobStore

log = logging.getLogger(__name__)

_YEAR = "public, max-age=31536000, immutable"
_SMALLEST_COMPRESSED = 2000


def make_application(store: "JobStore", access: Access) -> Gate:
    """The pages of a store, which is only read, for those whom `access` allows."""
    contents = Contents(store)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        prepare()
        contents.table.start()
        yield
        contents.table.stop()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.contents = contents
    app.state.access = access
    app.add_middleware(GZipMiddleware, minimum_size=_SMALLEST_COMPRESSED, compresslevel=1)
    for part in (materials, campaigns, models):
        app.include_router(part.router)
    app.add_api_route("/", _start, methods=["GET"])
    app.add_api_route("/static/{name}", _static, methods=["GET"])
    app.add_api_route("/login", _ask_for_token, methods=["GET"])
    app.add_api_route("/login", _take_token, methods=["POST"])
    _answer_errors(app)
    return Gate(app, access)


def _answer_errors(app: FastAPI) -> None:
    """One page for what cannot be shown: the reason in a line, and nothing of the inside of the program."""

    @app.exception_handler(InputError)
    def wrong(request: Request, error: Exception) -> Response:
        return show("problem.html.j2", status=400, reason=str(error))

    @app.exception_handler(NotThereError)
    def missing(request: Request, error: Exception) -> Response:
        return show("problem.html.j2", status=404, reason=str(error))

    @app.exception_handler(models.BusyError)
    def busy(request: Request, error: Exception) -> Response:
        return show("problem.html.j2", status=503, reason=str(error))

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: Exception) -> Response:
        return show("problem.html.j2", status=400, reason="what was sent has another form than this page takes")

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        return show("problem.html.j2", status=status, reason="there is no such page" if status == 404 else str(error))

    @app.exception_handler(Exception)
    def failed(request: Request, error: Exception) -> Response:
        return show("problem.html.j2", status=500, reason="this page failed; the log of the server says why")


def _start() -> Response:
    return RedirectResponse("/materials", 303)


def _static(request: Request, name: str) -> Response:
    file = static_files().get(name)
    if file is None:
        raise NotThereError(f"there is no file {name[:80]}")
    headers = {"Cache-Control": _YEAR, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.compressed, media_type=file.kind, headers=headers | {"Content-Encoding": "gzip"})
    return Response(file.content, media_type=file.kind, headers=headers)


def _ask_for_token() -> Response:
    return show("login.html.j2", wrong=False)


def _take_token(request: Request, token: str = Form("", max_length=500)) -> Response:
    """Give the browser a cookie for the token."""
    access: Access = request.app.state.access
    if not access.is_token(token):
        return show("login.html.j2", status=401, wrong=True)
    answer = RedirectResponse("/materials", 303)
    is_encrypted = request.url.scheme == "https"
    answer.set_cookie(COOKIE, access.cookie, httponly=True, samesite="strict", secure=is_encrypted)
    return answer
