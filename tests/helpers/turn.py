"""A TURN client that asks for what it should not get, and a real coturn with the shipped configuration."""

import hashlib
import hmac
import ipaddress
import os
import secrets
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from benchmarks.mortal import mortal

TURNSERVER: Final = shutil.which("turnserver") or shutil.which("turnserver", path="/usr/bin:/usr/sbin")
SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "coturn" / "turnserver.conf"
COOKIE: Final = 0x2112A442
REALM: Final = "turn.test"
ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND = 3, 4, 8, 9
USERNAME, INTEGRITY, ERROR_CODE, CHANNEL, PEER = 0x06, 0x08, 0x09, 0x0C, 0x12
REALM_AT, NONCE, FAMILY, TRANSPORT = 0x14, 0x15, 0x17, 0x19
FAMILIES: Final = {4: 1, 6: 2}
UDP: Final = b"\x11\0\0\0"
START_LIMIT_S: Final = 15.0
ANSWER_S: Final = 1.0
TRIES: Final = 8
SUCCESS: Final = 200
Attributes = Callable[[bytes], list[tuple[int, bytes]]]


class Refused(Exception):
    """The server's error code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error {code}")
        self.code = code


class TurnClient:
    """One five-tuple to a TURN server over UDP (RFC 8656)."""

    def __init__(self, server: tuple[str, int], username: str, password: str) -> None:
        self._server = server
        self._username = username
        self._password = password
        self._realm = self._nonce = b""
        self._channel = 0x4000
        self._socket = socket.socket(
            socket.AF_INET6 if ":" in server[0] else socket.AF_INET, socket.SOCK_DGRAM
        )
        self._socket.settimeout(ANSWER_S)

    def close(self) -> None:
        self._socket.close()

    def allocate(self, family: int) -> None:
        """A relay of IPv4 or IPv6. Raises :class:`Refused`."""
        wanted = [(TRANSPORT, UDP), (FAMILY, bytes([FAMILIES[family], 0, 0, 0]))]
        self._authentic(ALLOCATE, lambda _: wanted)

    def permission(self, host: str) -> int:
        """What asking to hear a peer is answered: 200 or an error."""
        return self._code(CREATE_PERMISSION, lambda transaction: [(PEER, _peer(host, 5004, transaction))])

    def bind(self, host: str) -> int:
        """What asking for a channel to a peer is answered."""
        self._channel += 1
        channel = struct.pack("!HH", self._channel, 0)
        return self._code(
            CHANNEL_BIND, lambda transaction: [(CHANNEL, channel), (PEER, _peer(host, 5004, transaction))]
        )

    def _code(self, method: int, attributes: Attributes) -> int:
        try:
            self._authentic(method, attributes)
        except Refused as refused:
            return refused.code
        return SUCCESS

    def _authentic(self, method: int, attributes: Attributes) -> None:
        for _ in range(3):
            try:
                self._ask(method, attributes)
                return
            except Refused as refused:
                if refused.code not in (401, 438) or (refused.code == 401 and method != ALLOCATE):
                    raise
        raise Refused(401)

    def _ask(self, method: int, attributes: Attributes) -> None:
        transaction = secrets.token_bytes(12)
        body = b"".join(_attribute(kind, value) for kind, value in attributes(transaction))
        head = struct.pack("!HHL", method, 0, COOKIE) + transaction
        if self._nonce:
            for kind, value in (
                (USERNAME, self._username.encode()),
                (REALM_AT, self._realm),
                (NONCE, self._nonce),
            ):
                body += _attribute(kind, value)
            key = hashlib.md5(f"{self._username}:{REALM}:{self._password}".encode()).digest()
            signed = head[:2] + struct.pack("!H", len(body) + 24) + head[4:] + body
            body += _attribute(INTEGRITY, hmac.digest(key, signed, "sha1"))
        request = head[:2] + struct.pack("!H", len(body)) + head[4:] + body
        for _ in range(TRIES):
            self._socket.sendto(request, self._server)
            try:
                while (answer := self._socket.recv(2048))[8:20] != transaction:
                    pass
            except (TimeoutError, ConnectionRefusedError):
                continue
            self._take(answer)
            return
        raise AssertionError("the TURN server does not answer")

    def _take(self, answer: bytes) -> None:
        found = _attributes(answer)
        self._realm, self._nonce = found.get(REALM_AT, self._realm), found.get(NONCE, self._nonce)
        if answer[0] << 8 & 0x0110 or answer[1] & 0x10:
            code = found.get(ERROR_CODE)
            if code is not None:
                raise Refused(code[2] * 100 + code[3])


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _attributes(message: bytes) -> dict[int, bytes]:
    found, at = {}, 20
    while at + 4 <= len(message):
        kind, size = struct.unpack_from("!HH", message, at)
        found[kind] = message[at + 4 : at + 4 + size]
        at += 4 + (size + 3 & ~3)
    return found


def _peer(host: str, port: int, transaction: bytes) -> bytes:
    """XOR-PEER-ADDRESS (RFC 8656, section 18.3)."""
    address = ipaddress.ip_address(host)
    mask = (COOKIE.to_bytes(4, "big") + transaction)[: len(address.packed)]
    hidden = bytes(a ^ b for a, b in zip(address.packed, mask, strict=True))
    return struct.pack("!BBH", 0, FAMILIES[address.version], port ^ COOKIE >> 16) + hidden


class Coturn(Struct, frozen=True):
    """A running server."""

    port: int
    tls_port: int


@contextmanager
def coturn(
    folder: Path,
    secret: str,
    *,
    listen: Sequence[str],
    allowed: Sequence[str],
    ports: tuple[int, int],
    extra: Sequence[str] = (),
    without: tuple[str, ...] = (),
    wrap: Sequence[str] = (),
) -> Iterator[Coturn]:
    """coturn with the shipped file, its last part filled in, and ports that are free here (plain, TLS).

    ``without``: lines of it that begin so are left out.
    """
    assert TURNSERVER is not None
    kept = [
        line
        for line in SHIPPED.read_text().splitlines()
        if not line.startswith((*without, "listening-port", "tls-listening-port", "min-port", "max-port"))
    ]
    conf = folder / "turnserver.conf"
    own = [f"listening-port={ports[0]}", f"tls-listening-port={ports[1]}", f"static-auth-secret={secret}"]
    own += [f"realm={REALM}", "log-file=stdout", "min-port=41000", "max-port=41999", *extra]
    own += [f"listening-ip={address}" for address in listen] + [f"relay-ip={address}" for address in listen]
    own += [f"allowed-peer-ip={address}" for address in allowed]
    conf.write_text("\n".join([*kept, *own]) + "\n")
    conf.chmod(0o600)
    with (folder / "turnserver.log").open("wb") as log:
        process = subprocess.Popen(
            mortal(
                [
                    *wrap,
                    *(TURNSERVER, "-c", str(conf), "--pidfile", str(folder / "turnserver.pid")),
                    *("--userdb", str(folder / "turndb")),
                ]
            ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": str(folder)},
        )
    try:
        _wait_for(folder / "turnserver.log", process, ports)
        yield Coturn(*ports)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _wait_for(log: Path, process: "subprocess.Popen[bytes]", ports: tuple[int, int]) -> None:
    """Until it listens, on the first port by UDP, and on the second by TCP if TLS is not switched off."""
    deadline = time.monotonic() + START_LIMIT_S
    while not (_bound(process.pid, "udp", ports[0]) or _bound(process.pid, "tcp", ports[1])):
        said = log.read_text(errors="replace")[-2000:]
        assert process.poll() is None, f"coturn ended: {said}"
        assert time.monotonic() < deadline, f"coturn does not listen: {said}"
        time.sleep(0.02)


def _bound(pid: int, protocol: str, port: int) -> bool:
    """Whether somebody in the process's network has bound that port."""
    tables = [Path(f"/proc/{pid}/net/{protocol}{six}") for six in ("", "6")]
    return any(f":{port:04X} " in table.read_text() for table in tables if table.exists())
