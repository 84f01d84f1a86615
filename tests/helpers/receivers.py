"""What notices go to: a real mail server and web server on loopback that misbehave as they are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

PATIENCE_S = 8.0


class Mailbox:
    """A handler for aiosmtpd. ``answers``: what the next letters are answered, then ``250``."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.answers: list[str] = []
        self.recipients: dict[str, str] = {}  # an address, and what RCPT TO of it is answered
        self.tries = 0
        self.hangs = False
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.recipients.get(address)
        if answer is not None:
            self.tries += 1
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.tries += 1
        if self.hangs:
            await asyncio.sleep(3_600)
        if self.answers:
            answer = self.answers.pop(0)
            if not answer.startswith("250"):
                return answer
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 2.0.0 queued"

    def subjects(self) -> list[str]:
        return [str(letter["Subject"]) for letter in self.letters]


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """In this loop, on a free port."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    open_ones: list[SMTP] = []

    def made() -> SMTP:
        one = SMTP(box, enable_SMTPUTF8=True, loop=loop, timeout=30)
        open_ones.append(one)
        return one

    server = await loop.create_server(made, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        for one in open_ones:
            if isinstance(one.transport, asyncio.WriteTransport):
                one.transport.abort()
            handler = getattr(one, "_handler_coroutine", None)
            if handler is not None:
                handler.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await handler


@dataclass
class Post:
    """One request that was heard whole."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A web server that keeps what it is sent. ``answers``: status of the next ones, then 204."""

    posts: list[Post] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hangs: bool = False
    location: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """In this loop, on a free port."""
    made = Receiver()
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
            made.posts.append(Post(head[0].split(" ")[1], headers, body))
            if made.hangs:
                await asyncio.sleep(3_600)
            status = made.answers.pop(0) if made.answers else 204
            extra = f"location: {made.location}\r\n" if made.location else ""
            writer.write(
                f"HTTP/1.1 {status} x\r\n{extra}content-length: 0\r\nconnection: close\r\n\r\n".encode()
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
