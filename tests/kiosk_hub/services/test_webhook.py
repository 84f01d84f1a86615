"""Which addresses a webhook may reach."""

import asyncio
import ipaddress

import pytest

from kiosk_hub.fleet.letters import Letter
from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.notices import NoticeKind, NoticeState, Route
from kiosk_hub.services.channels import Refused
from kiosk_hub.services.webhook import WebhookChannel, check_url, may_reach
from room_manager.errors import Invalid
from tests.helpers.receivers import receiver


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("8.8.8.8", True, True),
        ("2001:4860:4860::8888", True, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("10.1.2.3", False, True),
        ("192.168.0.9", False, True),
        ("fd12:3456::1", False, True),
        ("169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("::ffff:10.0.0.1", False, True),
        ("fd00:ec2::254", False, False),
        ("100.100.100.200", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("240.0.0.1", False, False),
        ("255.255.255.255", False, False),
    ],
)
def test_which_addresses_may_be_reached(address: str, public: bool, private: bool) -> None:
    parsed = ipaddress.ip_address(address)

    assert may_reach(parsed, private=False) is public
    assert may_reach(parsed, private=True) is private


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.vn/hook",
        "http://example.vn/hook",
        "https://",
        "https://a@example.vn/",
        "https://example.vn/#x",
        "https://example.vn:99999/",
        "https://127.0.0.1/",
        "https://[::1",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address_for_a_webhook(url: str) -> None:
    with pytest.raises(Invalid):
        check_url(url, private=False)


def test_a_good_one() -> None:
    check_url("https://example.vn/hook?x=1", private=False)
    check_url("http://10.0.0.5:8080/hook", private=True)


def a_notice() -> Notice:
    return Notice(
        id="nt-1",
        kind=NoticeKind.TEST,
        state=NoticeState.WAITING,
        route="x",
        route_name="x",
        channel="webhook",
        to="x",
        letter=Letter("vi", "x", "x"),
        row=None,
        created_at=0.0,
        due_at=0.0,
    )


def test_a_name_that_leads_into_the_own_network_is_refused_when_it_is_resolved() -> None:
    async def main() -> None:
        async with receiver() as there:
            route = Route(id="x", name="x", channel="webhook", url=f"https://localhost:{there.port}/")
            with pytest.raises(Refused) as refused:
                await WebhookChannel(private=False).send(a_notice(), route, b"k" * 32)
            assert refused.value.code == "webhook-forbidden"
            assert not there.posts

    asyncio.run(main())


def test_the_host_that_is_told_is_the_name_and_not_the_address() -> None:
    async def main() -> None:
        async with receiver() as there:
            route = Route(id="x", name="x", channel="webhook", url=f"http://localhost:{there.port}/hook?a=1")
            await WebhookChannel(private=True).send(a_notice(), route, b"k" * 32)
            assert there.posts[0].headers["host"] == f"localhost:{there.port}"
            assert there.posts[0].path == "/hook?a=1"

    asyncio.run(main())
