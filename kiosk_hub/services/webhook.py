"""Notices by webhook: a signed POST, as Standard Webhooks (github.com/standard-webhooks) have it.

The address is an administrator's, and the server is inside the city's network: it must not be talked into
reaching what the administrator could not. So the name is resolved here, every address of it is looked at,
the request goes to the very address that was looked at, and no redirect is followed.
"""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import secrets
import socket
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from kiosk_hub.fleet.letters import payload
from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.notices import Route
from kiosk_hub.services.channels import Refused, Undelivered
from room_manager.errors import Invalid

LIMIT_S: Final = 15.0  # of one delivery, all of it
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the prefix that Standard Webhooks give to secrets

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class WebhookChannel:
    """``private``: may an address of the city's own network, or of this machine, be reached?"""

    def __init__(
        self, private: bool = False, clock: Callable[[], float] = time.time, limit_s: float = LIMIT_S
    ) -> None:
        self._private = private
        self._clock = clock
        self._limit_s = limit_s

    async def send(self, notice: Notice, route: Route, secret: bytes) -> None:
        body = body_of(notice)
        try:
            async with asyncio.timeout(self._limit_s):
                address = await self._resolve(route.url)
                status = await self._post(route.url, address, notice.id, body, secret)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            words = " ".join(str(error).split()) or type(error).__name__
            raise Undelivered("webhook-unreachable", words[:300]) from None
        if 200 <= status < 300:
            return
        if status == 410:
            raise Refused("webhook-gone", "410: the receiver wants no more")
        if 300 <= status < 400:
            raise Refused("webhook-redirects", f"{status}: redirects are not followed")
        raise Undelivered("webhook-refused", f"the receiver answered {status}")

    async def _resolve(self, url: str) -> IpAddress:
        check_url(url, self._private)
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
        if not addresses:
            raise Undelivered("webhook-unreachable", "the name has no address")
        for address in addresses:
            if not may_reach(address, self._private):
                raise Refused("webhook-forbidden", f"{address} is not an address to be reached from here")
            if parts.scheme == "http" and not _is_near(address):
                raise Refused("webhook-forbidden", "without https only this machine and its network")
        return addresses[0]

    async def _post(self, url: str, address: IpAddress, key: str, body: bytes, secret: bytes) -> int:
        parts = urlsplit(url)
        seconds = str(int(self._clock()))
        headers = {
            "host": parts.netloc.rpartition("@")[2],
            "content-type": "application/json",
            "user-agent": "diemcau",
            "idempotency-key": key,
            "webhook-id": key,
            "webhook-timestamp": seconds,
            "webhook-signature": sign(secret, key, seconds, body),
        }
        target = httpx.URL(url).copy_with(host=str(address))
        async with (
            httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=self._limit_s) as client,
            client.stream(
                "POST",
                target,
                headers=headers,
                content=body,
                extensions={"sni_hostname": parts.hostname or ""},  # the certificate is the name's
            ) as answer,
        ):
            return answer.status_code


def check_url(url: str, private: bool) -> None:
    """Raise ``Invalid`` for an address that is none for a webhook, whatever its name resolves to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Invalid("url: not an address") from None
    if not host or parts.scheme not in ("https", "http") or port == 0:
        raise Invalid("url: an address like https://example.gov.vn/hook")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("url: no user, password or fragment")
    if parts.scheme == "http" and not private:
        raise Invalid("url: https only")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not may_reach(address, private):
        raise Invalid("url: this address is not to be reached from here")


def may_reach(address: IpAddress, private: bool) -> bool:
    """Public ones; those of the own network only if ``private``; link-local (and with it the metadata of
    clouds), multicast and unspecified ones never."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is not None:
        return may_reach(mapped, private)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address in _METADATA:
        return False
    return address.is_global or (private and _is_near(address))


_METADATA: Final = frozenset({ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")})
"""Cloud metadata outside of link-local: Amazon's by IPv6, Alibaba's."""


def _is_near(address: IpAddress) -> bool:
    return address.is_loopback or (address.is_private and not address.is_reserved)


def body_of(notice: Notice) -> bytes:
    """The same bytes at every try."""
    at = notice.made_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return msgspec.json.encode(payload(notice.kind, notice.letter, notice.row, at))


def sign(secret: bytes, key: str, seconds: str, body: bytes) -> str:
    """``v1,`` and HMAC-SHA256 over id, time and body in base64."""
    digest = hmac.new(secret, f"{key}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def new_secret() -> bytes:
    return secrets.token_bytes(32)


def shown(secret: bytes) -> str:
    """As the receiver's library wants it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()
