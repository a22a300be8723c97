"""The review page's server: Starlette on the loopback address, for the person who started it and nobody else.

Other pages in the browser, other users of the machine and names that resolve to this address get nothing:

* the address carries a token, swapped for a cookie at the first visit; nothing is served without it;
* the ``Host`` must be the loopback address (DNS rebinding); ``Sec-Fetch-Site`` must not be another site;
* what changes something must be JSON, come from this origin and carry a token that only the page knows;
* the page may load nothing but its own files, and builds its content from text nodes (CSP, Trusted Types).
"""

from __future__ import annotations

import json
import secrets
import socket
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aligner.errors import AlignerError, UsageError
from aligner.review.session import Session
from aligner.review.store import ConflictError

HOST = "127.0.0.1"
_STATIC = Path(__file__).parent / "static"
# A caption with its translation is a few kilobytes at most.
_MAX_BODY = 1 << 16
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


class Gate:
    """Lets the person's own browser in and nobody else.

    Args:
        app: the application behind it.
        port: the port that is served.
        entry: the token in the address that is printed.
        change: the token that the page sends with every change.
    """

    def __init__(self, app: ASGIApp, port: int, entry: str, change: str) -> None:
        self.app = app
        self.cookie = f"aligner-review-{port}"
        self.entry = entry
        self.change = change
        self.hosts = {f"{HOST}:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *((name.encode(), value.encode()) for name, value in _HEADERS.items()),
                ]
            await send(message)

        request = Request(scope)
        answer = self._refusal(request) or self._entrance(request)
        await (answer or self.app)(scope, receive, guarded)

    def _refusal(self, request: Request) -> Response | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return PlainTextResponse("This page answers on the loopback address only.", 421)
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return PlainTextResponse("Requests from other sites are refused.", 403)
        if request.method in ("GET", "HEAD"):
            return None
        if request.headers.get("origin") != f"http://{hosts[0].lower()}":
            return PlainTextResponse("Requests from other sites are refused.", 403)
        if not _same(request.headers.get("x-aligner-token"), self.change):
            return PlainTextResponse("The token of the page is missing; reload it.", 403)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return PlainTextResponse("Changes are sent as JSON.", 415)
        return None

    def _entrance(self, request: Request) -> Response | None:
        if _same(request.cookies.get(self.cookie), self.entry):
            return None
        if request.url.path == "/" and _same(request.query_params.get("token"), self.entry):
            response = RedirectResponse("/", 303)
            response.set_cookie(self.cookie, self.entry, httponly=True, samesite="strict", path="/")
            return response
        return PlainTextResponse("Open the address that aligner review printed, with its token.", 403)


def _same(given: str | None, token: str) -> bool:
    return given is not None and secrets.compare_digest(given.encode(), token.encode())


def application(session: Session, port: int, entry: str | None = None) -> tuple[ASGIApp, str]:
    """The page's application.

    Args:
        session: what it shows.
        port: the port that it will be served on.
        entry: the token of its address; a new one if left out.

    Returns:
        The application, and the address to open.
    """
    entry = entry or secrets.token_urlsafe(32)
    change = secrets.token_urlsafe(32)

    async def page(request: Request) -> Response:
        html = (_STATIC / "review.html").read_text(encoding="utf-8").replace("%TOKEN%", change)
        return Response(html, media_type="text/html")

    async def overview(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(session.overview))

    async def detail(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(session.detail, request.path_params["key"]))

    async def article(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(session.article, request.path_params["index"]))

    async def changes(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(session.changes, request.path_params["number"]))

    async def decide(request: Request) -> Response:
        asked = await _asked(request, key=str, version=int, state=str)
        text, link = asked.get("text"), asked.get("link", "run")
        if text is not None and not isinstance(text, str):
            raise UsageError("text must be text")
        return JSONResponse(
            await run_in_threadpool(session.decide, asked["key"], asked["version"], asked["state"], text, link)
        )

    async def undo(request: Request) -> Response:
        asked = await _asked(request, key=str, version=int)
        return JSONResponse(await run_in_threadpool(session.undo, asked["key"], asked["version"]))

    async def conflict(request: Request, error: Exception) -> Response:
        assert isinstance(error, ConflictError)
        return JSONResponse({"problem": str(error), "current": session.conflict(error)}, 409)

    async def mistake(request: Request, error: Exception) -> Response:
        return JSONResponse({"problem": str(error)}, 400)

    app = Starlette(
        routes=[
            Route("/", page),
            *(Route(f"/{name}", _file(name, kind)) for name, kind in _FILES.items()),
            Route("/api/overview", overview),
            Route("/api/caption/{key}", detail),
            Route("/api/article/{index:int}", article),
            Route("/api/changes/{number:int}", changes),
            Route("/api/decide", decide, methods=["POST"]),
            Route("/api/undo", undo, methods=["POST"]),
        ],
        exception_handlers={ConflictError: conflict, AlignerError: mistake},
    )
    return Gate(app, port, entry, change), f"http://{HOST}:{port}/?token={entry}"


_FILES = {"review.css": "text/css", "review.js": "text/javascript", "icon.svg": "image/svg+xml"}


def _file(name: str, kind: str) -> Any:
    async def serve(request: Request) -> Response:
        return Response((_STATIC / name).read_bytes(), media_type=kind)

    return serve


async def _asked(request: Request, **fields: type) -> dict[str, Any]:
    """The JSON object that a request carries, with the fields that it must have."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise UsageError("the request is too long")
    try:
        asked = json.loads(body)
    except ValueError:
        raise UsageError("the request is not JSON") from None
    if not isinstance(asked, dict):
        raise UsageError("the request is not an object")
    for name, kind in fields.items():
        if not isinstance(asked.get(name), kind) or isinstance(asked[name], bool):
            raise UsageError(f"{name} is missing or of the wrong kind")
    return asked


def bind(port: int) -> socket.socket:
    """A listening socket on the loopback address: who connects before :func:`serve` waits for it.

    Raises:
        UsageError: the port is taken or not ours to take.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise UsageError(f"port {port}: {error.strerror}; name another with --port, 0 for any free one") from None
    return sock


def serve(app: ASGIApp, sock: socket.socket) -> None:
    """Serves until interrupted."""
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run(sockets=[sock])
