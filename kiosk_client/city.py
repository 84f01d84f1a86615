"""What the device asks the city by HTTP: to be let in, and to take evidence. What failed is said in two ways:
``Cut`` (nobody answered, try again) and ``Refused`` (somebody did)."""

import asyncio
import time
from pathlib import Path
from typing import Final, Protocol, TypeVar

import httpx
import msgspec

from kiosk_client.backoff import LONGEST_ASKED_S
from kiosk_client.errors import AgentError
from kiosk_client.wire import Cut, tls_context
from signaling.wire.kiosk.device import EvidenceHead
from signaling.wire.kiosk.rest import AskEnrolment, Enrolled, EnrolmentNews, ProveEnrolment
from signaling.wire.kiosk.words import EnrolmentId

ANSWER_WITHIN_S: Final = 20.0
UPLOAD_WITHIN_S: Final = 300.0
MAX_ANSWER_BYTES: Final = 65_536

T = TypeVar("T")


class Refused(AgentError):
    """The city answered no. ``code`` is the city's."""

    def __init__(self, status: int, code: str, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.said = code
        self.retry_after_s = retry_after_s

    @property
    def for_good(self) -> bool:
        """Asking the same again would be answered the same."""
        return 400 <= self.status < 500 and self.status not in (401, 408, 425, 429)


class City(Protocol):
    """All raise ``Cut`` and ``Refused``."""

    async def ask(self, asking: AskEnrolment) -> Enrolled: ...

    async def look(self, enrolment: EnrolmentId, proof: ProveEnrolment) -> EnrolmentNews: ...

    async def put_evidence(self, head: EvidenceHead, data: bytes, token: str) -> None: ...

    async def download_s(self, path: str, token: str, most_bytes: int) -> tuple[int, float]:
        """Bytes read from ``path``, at most so many, and the seconds that took."""

    async def close(self) -> None: ...


class _Error(msgspec.Struct):
    code: str = "unknown"
    text: str = ""


class HttpCity:
    """Over httpx; one small pool of connections."""

    def __init__(self, server: str, certificate: Path | None = None, connections: int = 4) -> None:
        self._client = httpx.AsyncClient(
            base_url=server,
            timeout=ANSWER_WITHIN_S,
            verify=tls_context(server, certificate) or False,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=connections, keepalive_expiry=30),
        )

    async def ask(self, asking: AskEnrolment) -> Enrolled:
        return await self._post("/api/kiosk/enrolments", msgspec.json.encode(asking), Enrolled)

    async def look(self, enrolment: EnrolmentId, proof: ProveEnrolment) -> EnrolmentNews:
        path = f"/api/kiosk/enrolments/{enrolment}/look"
        return await self._post(path, msgspec.json.encode(proof), EnrolmentNews)

    async def put_evidence(self, head: EvidenceHead, data: bytes, token: str) -> None:
        query = {name: value for name, value in msgspec.to_builtins(head).items() if name != "id"}
        await self._exchange(
            "PUT",
            f"/api/kiosk/evidence/{head.id}",
            data,
            params=query,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"},
            timeout=httpx.Timeout(ANSWER_WITHIN_S, write=UPLOAD_WITHIN_S),
        )

    async def download_s(self, path: str, token: str, most_bytes: int) -> tuple[int, float]:
        began = time.monotonic()
        read = 0
        try:
            async with self._client.stream(
                "GET", path, headers={"Authorization": f"Bearer {token}"}
            ) as answer:
                if answer.status_code >= 400:
                    raise Refused(answer.status_code, "unknown", path)
                async for part in answer.aiter_raw(65_536):
                    read += len(part)
                    if read >= most_bytes:
                        break
        except httpx.HTTPError as error:
            raise Cut(f"{type(error).__name__}: {error}") from None
        return read, time.monotonic() - began

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, path: str, body: bytes, answer: type[T]) -> T:
        data = await self._exchange("POST", path, body, headers={"Content-Type": "application/json"})
        try:
            return msgspec.json.decode(data, type=answer)
        except msgspec.DecodeError as error:
            raise Cut(f"what was answered is not ours: {error}") from None

    async def _exchange(self, method: str, path: str, body: bytes, **options: object) -> bytes:
        asked = self._client.stream(method, path, content=body, **options)  # type: ignore[arg-type]
        try:
            async with asked as answer, asyncio.timeout(ANSWER_WITHIN_S):
                content = await _read(answer)
        except (httpx.HTTPError, OSError) as error:  # also TimeoutError
            raise Cut(f"{type(error).__name__}: {error}") from None
        if answer.status_code < 300:
            return content
        said = answer.headers.get("Retry-After", "")
        retry_after_s = min(float(said), LONGEST_ASKED_S) if said.isdecimal() else None
        if answer.status_code >= 500:
            raise Cut(f"answered {answer.status_code}", retry_after_s or 0.0)
        try:
            why = msgspec.json.decode(content, type=_Error)
        except msgspec.DecodeError:
            why = _Error()
        raise Refused(answer.status_code, why.code, why.text, retry_after_s)


async def _read(answer: httpx.Response) -> bytes:
    """The body, if it is no longer than any of ours: whoever answers may not be who we believe. Raises
    ``Cut``."""
    content = bytearray()
    async for part in answer.aiter_bytes(MAX_ANSWER_BYTES):
        content += part
        if len(content) > MAX_ANSWER_BYTES:
            raise Cut("what was answered is too long to be ours")
    return bytes(content)
