"""A web server on loopback with published files, and records that name it: nothing here leaves the machine."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

TABLE = b"formula D\nLi3P 1.5e-5\n" * 200
NOTES = b"as measured\n"


class Place:
    """What a server answers, by path, and what it was asked for; `broken` paths end half way."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self.url = ""


@contextmanager
def published() -> Iterator[Place]:
    """Serve files on a free port of loopback."""
    place = Place()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place.asked.append(self.path)
            content = place.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if self.path in place.broken else content)

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    place.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield place
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def checksums(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def write_record(folder: Path, name: str, **fields: Any) -> None:
    """Write the record of a data set of two files, `table.dat` and `notes.txt`, which is called `published.txt`."""
    record = {
        "title": "Diffusivities",
        "citation": "A. Author, J. Irreproducible Results 1 (1990) 1",
        "doi": "10.1000/182",
        "licence": "CC0-1.0",
        "source": "https://example.org/data",
        "folder": f"{name}/tables",
        "files": {"table.dat": checksums(TABLE), "notes.txt": {"at": "published.txt", **checksums(NOTES)}},
        **fields,
    }
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(record, sort_keys=False))


def zip_of(**files: bytes) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()
