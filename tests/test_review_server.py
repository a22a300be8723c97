from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from gold_runs import gold_run
from review_page import Served, served

from aligner.errors import UsageError
from aligner.exchange import dump_run
from aligner.review.server import bind


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(gold_run("atalayar-2022"), tmp_path_factory.mktemp("db") / "review.sqlite") as page:
        yield page


def decision(page: Served, **more: object) -> dict[str, object]:
    key = next(iter(page.session.units))
    version = page.get(f"/api/caption/{key}")["decision"]["version"]
    return {"key": key, "version": version, "state": "accepted", "text": "A text", "link": None, **more}


def test_a_decision_and_back(page: Served) -> None:
    asked = decision(page)
    status, _, body = page.request("POST", "/api/decide", asked)
    assert (status, json.loads(body)["state"]) == (200, "edited")
    assert json.loads(body)["link"] is None
    status, _, body = page.request("POST", "/api/decide", asked)
    assert (status, json.loads(body)["current"]["text"]) == (409, "A text")
    version = json.loads(body)["current"]["version"]
    status, _, body = page.request("POST", "/api/undo", {"key": asked["key"], "version": version})
    assert (status, json.loads(body)["state"]) == (200, "open")
    number = page.get("/api/overview")["number"]
    assert page.get(f"/api/changes/{number}")["changes"] == []
    assert [c["state"] for c in page.get("/api/changes/0")["changes"]] == ["open"]


FOREIGN = "http://evil.example"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:PORT"}, 421),
        ({"host": "127.0.0.1"}, 421),
        ({"host": "127.0.0.1:1"}, 421),
        ({"host": "127.0.0.1:PORT.evil.example"}, 421),
        ({"host": None}, 400),  # refused by HTTP itself
        ({"origin": FOREIGN}, 403),
        ({"origin": "null"}, 403),
        ({"origin": None}, 403),
        ({"origin": "https://127.0.0.1:PORT"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "http://localhost:PORT"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"x_aligner_token": None}, 403),
        ({"x_aligner_token": "guess"}, 403),
        ({"x_aligner_token": "gueß"}, 403),
        ({"cookie": None}, 403),
        ({"cookie": "aligner-review-PORT=guess"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_forged_changes_are_refused(page: Served, headers: dict[str, str | None], status: int) -> None:
    asked = decision(page)
    before = page.store.all()
    put = {name: value and value.replace("PORT", str(page.port)) for name, value in headers.items()}
    got, answered, _ = page.request("POST", "/api/decide", asked, **put)
    assert got == status
    assert "access-control-allow-origin" not in answered
    assert page.store.all() == before


@pytest.mark.parametrize("path", ["/", "/review.js", "/api/overview", "/api/article/0", "/api/changes/0"])
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"cookie": None},
        {"cookie": "aligner-review-PORT=guess"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_nothing_is_shown_to_others(page: Served, path: str, headers: dict[str, str | None]) -> None:
    put = {name: value and value.replace("PORT", str(page.port)) for name, value in headers.items()}
    status, _, body = page.request("GET", path, **put)
    assert status in (403, 421)
    assert page.token.encode() not in body
    assert b"canciller" not in body


def test_the_token_of_the_address_becomes_a_cookie(page: Served) -> None:
    split = urlsplit(page.address)
    status, headers, _ = page.request("GET", f"/?{split.query}", cookie=None)
    assert (status, headers["location"]) == (303, "/")
    cookie = headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert page.request("GET", "/?token=guess", cookie=None)[0] == 403
    # The address does not let a change in: for that the page's own token is needed.
    entry = split.query.removeprefix("token=")
    assert page.request("POST", "/api/decide", decision(page), x_aligner_token=entry)[0] == 403


def test_headers_of_everything(page: Served) -> None:
    for path, cookie in (("/", page.cookie), ("/review.js", page.cookie), ("/", None), ("/none", page.cookie)):
        _, headers, _ = page.request("GET", path, cookie=cookie)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("path", "body", "status", "problem"),
    [
        ("/api/decide", b"{", 400, "not JSON"),
        ("/api/decide", [], 400, "not an object"),
        ("/api/decide", {"key": 1}, 400, "key is missing or of the wrong kind"),
        ("/api/decide", {"key": "x", "version": True, "state": "accepted"}, 400, "version is missing"),
        ("/api/decide", {"key": "x", "version": 0, "state": "accepted", "text": "t"}, 400, "no caption 'x'"),
        ("/api/decide", {"key": "x", "version": 0, "state": "accepted", "text": 1}, 400, "text must be text"),
        ("/api/undo", {"key": "x", "version": 0}, 400, "no caption"),
        ("/api/decide", b'"' + b"x" * 100_000 + b'"', 400, "too long"),
    ],
)
def test_senseless_requests(page: Served, path: str, body: object, status: int, problem: str) -> None:
    got, _, answer = page.request("POST", path, body)
    assert got == status
    assert problem in json.loads(answer)["problem"]


def test_unknown_paths(page: Served) -> None:
    for path in ("/api/caption/none", "/api/article/99"):
        assert page.request("GET", path)[0] == 400
    for path in ("/none", "/../store.py", "/api/article/-1", "/static/review.html"):
        assert page.request("GET", path)[0] == 404
    assert page.request("GET", "/api/decide")[0] == 405


def test_only_the_loopback_address_is_bound() -> None:
    with bind(0) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        with pytest.raises(UsageError, match="name another with --port"):
            bind(sock.getsockname()[1])


def test_the_command_serves_and_ends(tmp_path: Path) -> None:
    run = tmp_path / "run.jsonl"
    run.write_bytes(dump_run(gold_run("atalayar-2022")))
    program = (
        "import sys, typer\nfrom aligner.cli import review\napp = typer.Typer()\nreview.register(app)\n"
        "app.command('other')(lambda: None)\napp(sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "review", str(run), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    address = urlsplit(process.stdout.readline().strip())
    try:
        assert address.hostname == "127.0.0.1"
        assert address.port
        with socket.create_connection(("127.0.0.1", address.port), timeout=10) as connection:
            request = f"GET /?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            assert connection.recv(64).startswith(b"HTTP/1.1 303")
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert "decisions go to" in errors
    assert "Traceback" not in errors
    assert (tmp_path / "run.review.sqlite").exists()
