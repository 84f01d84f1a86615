"""Pages of a stranger: served from another origin than the server that they ask, so that CORS is met."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import web_build

HERE: Final = Path(__file__).parent
BUNDLER: Final = HERE.parents[1] / "web" / "node_modules" / ".bin" / "rolldown"
PACKAGES: Final = HERE / "npm" / "node_modules"
BUNDLE_LIMIT_S: Final = 60.0

PAGE: Final = b"""<!doctype html><meta charset="utf-8"><title>studio</title>
<body><script src="/page.js"></script><script src="/clients.js"></script>"""


def why_no_packages() -> str | None:
    """Why others' packages cannot be tried, or None."""
    if not PACKAGES.is_dir():
        return "the packages of others are not installed; tools/setup.py test does it"
    return None if BUNDLER.exists() else "no bundler here"


def bundled(folder: Path) -> bytes:
    """Others' clients for a page."""
    out = folder / "clients.js"
    subprocess.run(
        [BUNDLER, "clients.js", "--format", "iife", "--platform", "browser", "-o", out],
        cwd=HERE / "npm",
        env=web_build.environment(),
        check=True,
        capture_output=True,
        timeout=BUNDLE_LIMIT_S,
    )
    return out.read_bytes()


@contextmanager
def studio(clients: bytes = b"") -> Iterator[str]:
    """The address of the page."""
    files = {
        "/": ("text/html", PAGE),
        "/page.js": ("text/javascript", (HERE / "page.js").read_bytes()),
        "/clients.js": ("text/javascript", clients),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = files.get(self.path, ("text/plain", b""))
            self.send_response(200 if self.path in files else 404)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        serving.join(10)
