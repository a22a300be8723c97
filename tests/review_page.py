"""The review page, really served on the loopback address, for tests."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from aligner.exchange import Articles
from aligner.records import Document
from aligner.review.server import application, bind
from aligner.review.session import Session
from aligner.review.store import Store


@dataclass
class Served:
    """A served page: its address, port, store and session."""

    address: str
    port: int
    store: Store
    session: Session
    cookie: str
    token: str

    def request(
        self, method: str, path: str, body: object = None, **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request, with what the page itself would send; headers given as None are left out."""
        sent: dict[str, str | None] = {"host": f"127.0.0.1:{self.port}", "cookie": self.cookie}
        if method == "POST":
            sent |= {
                "origin": f"http://127.0.0.1:{self.port}",
                "content-type": "application/json",
                "x-aligner-token": self.token,
            }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True)
            data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.putheader("content-length", str(len(data)))
            connection.endheaders(data)
            response = connection.getresponse()
            try:
                content = response.read()
            except ConnectionResetError:  # refused before its body was read: the answer may be cut
                content = b""
            return response.status, {k.lower(): v for k, v in response.getheaders()}, content
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        status, _, body = self.request("GET", path)
        assert status == 200, body
        return json.loads(body)


@contextmanager
def served(run: tuple[Document, ...], database: Path) -> Iterator[Served]:
    """Serves a run until the end of the block."""
    store = Store(database)
    session = Session(run, Articles(), store, "run.jsonl")
    sock = bind(0)
    port = sock.getsockname()[1]
    app, address = application(session, port)
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", server_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        entry = urlsplit(address).query.removeprefix("token=")
        page = Served(address, port, store, session, f"aligner-review-{port}={entry}", "")
        html = page.request("GET", "/")[2].decode()
        page.token = html.split('name="aligner-token" content="')[1].split('"')[0]
        yield page
    finally:
        server.should_exit = True
        thread.join()
        sock.close()
        store.close()
