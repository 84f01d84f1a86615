"""Firefox by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/): just what our tests ask of it."""

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from benchmarks.mortal import mortal

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
START_LIMIT_S = 60.0
END_LIMIT_S = 10.0
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES: Mapping[str, bool | int | str] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.gmp-manager.updateEnabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


class Refused(Exception):
    """Firefox answered with an error."""


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        capabilities = {"alwaysMatch": {"acceptInsecureCerts": True}}
        self.command("session.new", capabilities=capabilities)
        self._context = self.command("browsingContext.create", type="tab")["context"]

    def command(self, method: str, **params: object) -> Any:
        """Ask, and wait for the answer; events in between are not for us."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            heard = json.loads(self._socket.recv(timeout=START_LIMIT_S))
            if heard.get("id") == number:
                if heard["type"] == "error":
                    raise Refused(f"{method}: {heard['error']}: {heard['message']}")
                return heard["result"]

    def open(self, url: str) -> None:
        """Go there; back when the page has loaded."""
        self.command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression (awaited if it is a promise) that JSON can hold."""
        wrapped = f"(async () => JSON.stringify(await ({expression})))()"
        told = self.command(
            "script.evaluate", expression=wrapped, target={"context": self._context}, awaitPromise=True
        )
        if told["type"] == "exception":
            raise Refused(told["exceptionDetails"]["text"])
        return json.loads(told["result"].get("value", "null"))

    def wait_for(self, expression: str, limit_s: float) -> Any:
        """The first truthy value of the expression. Raises ``TimeoutError`` after the limit."""
        ends = time.monotonic() + limit_s
        while time.monotonic() < ends:
            value = self.evaluate(
                f"(async () => {{ const value = await ({expression});"
                " if (!value) await new Promise(go => setTimeout(go, 100)); return value; })()"
            )
            if value:
                return value
        raise TimeoutError(f"not within {limit_s} s: {expression}")


@contextmanager
def firefox(profile: Path, **more: bool | int | str) -> Iterator[Page]:
    """A headless Firefox with a fake camera and an empty profile, ended afterwards.

    ``more`` are preferences beside ours, with ``__`` for the dots in their names.
    """
    assert FIREFOX is not None
    profile.mkdir(parents=True, exist_ok=True)
    preferences = {**PREFERENCES, **{name.replace("__", "."): value for name, value in more.items()}}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
    (profile / "user.js").write_text("\n".join(lines))
    process = subprocess.Popen(
        mortal(
            [FIREFOX, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"]
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        address = _address(process)
        with connect(f"{address}/session", max_size=None, open_timeout=START_LIMIT_S) as socket:
            page = Page(socket)
            yield page
            with contextlib.suppress(Refused, TimeoutError):
                page.command("browser.close")
    finally:
        process.terminate()
        try:
            process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[str]) -> str:
    """Where Firefox listens; it says so among other things, and must be listened to until its end."""
    found = threading.Event()
    address = ""

    def listen() -> None:
        nonlocal address
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                if match := LISTENING.search(line):
                    address = match[1]
                    found.set()

    threading.Thread(target=listen, daemon=True).start()
    if not found.wait(START_LIMIT_S):
        raise TimeoutError("Firefox did not say where it listens")
    return address
