"""What a connection sends is bound to what it agreed: no stream speaks for another."""

import pytest

from room_manager.ids import ConnectionId, SiteId
from room_manager.media.engine import Scene
from room_manager.media.light import LightPeer
from room_manager.media.light_sdp import LEVEL_ID, MID_ID, OPUS_TYPE, RID_ID, VP8_TYPE
from room_manager.media.sfu import sdp, vp8, vp9
from room_manager.media.sfu.negotiation import Plan, agree
from room_manager.media.sfu.rtp import build, extension_block
from tests.helpers.router_driver import KEY, ROOM, Peer, RouterDriver

A, B = SiteId("00001"), SiteId("00004")


def staged() -> tuple[RouterDriver, Peer, Peer]:
    driver = RouterDriver()
    a, b = driver.join(A), driver.join(B)
    driver.scene(Scene(main=A, content=A, heard_only=None, voices=(A,)))
    a.frame()
    a.voice()
    driver.wait(0.2)
    driver.forget()
    return driver, a, b


def misplaced(driver: RouterDriver) -> dict[str, int]:
    stats = driver.router.stats(ROOM)
    assert stats is not None
    return {reason: count for reason, count in stats.misplaced.items() if count}


def picture(kind: int, ssrc: int, *elements: tuple[int, bytes]) -> bytes:
    payload = vp8.descriptor(5, starts_frame=True) + KEY
    return build(kind, 7000, 0, ssrc, payload, marker=True, extensions=extension_block(elements))


def test_a_stream_that_claims_another_section_or_layer_is_dropped() -> None:
    driver, a, b = staged()
    camera = a.ssrc("camera", "f")

    a.raw(picture(VP8_TYPE, camera, (MID_ID, b"2")))  # the screen's section
    a.raw(picture(VP8_TYPE, camera, (MID_ID, b"1"), (RID_ID, b"q")))
    a.raw(picture(VP8_TYPE, camera, (MID_ID, b"none")))

    assert misplaced(driver) == {"section": 3}
    assert b.got("main") == []
    assert b.got("content") == []
    a.frame()
    assert len(b.got("main")) == 1


def test_a_payload_type_that_was_not_agreed_is_dropped() -> None:
    driver, a, b = staged()

    a.raw(picture(OPUS_TYPE, a.ssrc("camera", "f")))
    a.raw(picture(127, a.ssrc("camera", "f")))
    a.raw(build(VP8_TYPE, 7000, 0, a.ssrc("microphone", ""), b"opus"))

    assert misplaced(driver) == {"format": 3}
    assert (b.got("main"), b.got("audio-1")) == ([], [])


def test_a_stream_nobody_announced_is_dropped() -> None:
    driver, a, b = staged()

    a.raw(picture(VP8_TYPE, 999, (MID_ID, b"9")))
    a.raw(picture(127, 998, (MID_ID, b"1"), (RID_ID, b"f")))
    a.raw(picture(VP8_TYPE, 997, (MID_ID, b"1"), (RID_ID, b"x")))

    assert misplaced(driver) == {"stream": 3}
    assert b.got("main") == []


def test_what_was_dropped_is_counted_after_its_sender_has_gone() -> None:
    driver, a, _ = staged()
    a.raw(picture(VP8_TYPE, 999, (MID_ID, b"9")))

    driver.router.leave(a.connection, driver.now)

    assert misplaced(driver) == {"stream": 1}


def test_an_ssrc_the_offer_gave_to_one_section_is_not_taken_for_another() -> None:
    driver = RouterDriver()
    offer = LightPeer().offer()
    parsed = sdp.parse(offer)
    screen = parsed.sections[2]
    screen.streams.append(4242)
    numbers = iter(range(100, 200))
    plan = agree(parsed, may_send=True, video=None, ssrc=lambda: next(numbers))
    assert next(s for s in plan.sending if s.role == "screen").streams == (4242,)
    a, b = joined(driver, plan), driver.join(B)
    driver.scene(Scene(main=A, content=A))

    a.raw(picture(VP8_TYPE, 4242, (MID_ID, b"1"), (RID_ID, b"f")))
    assert misplaced(driver) == {"stream": 1}
    a.raw(picture(VP8_TYPE, 4242, (MID_ID, b"2")))

    assert b.got("main") == []
    assert len(b.got("content")) == 1


def joined(driver: RouterDriver, plan: Plan) -> Peer:
    connection = ConnectionId("made")
    peer = Peer(driver, connection, plan)
    driver.router.join(ROOM, connection, A, plan, peer)
    driver.router.secured(connection, driver.now)
    return peer


@pytest.mark.parametrize("codec", ["VP9", "AV1"])
def test_a_room_whose_first_client_knows_only_these_carries_them(codec: str) -> None:
    driver = RouterDriver()

    def offer() -> str:
        return LightPeer().offer().replace("VP8/90000", f"{codec}/90000")

    plans = []
    for number, site in enumerate((A, B)):
        plan = driver.router.plan(ROOM, site, sdp.parse(offer()))
        peer = Peer(driver, ConnectionId(f"x{number}"), plan)
        driver.router.join(ROOM, peer.connection, site, plan, peer)
        driver.router.secured(peer.connection, driver.now)
        plans.append((plan, peer))
    a, b = plans[0][1], plans[1][1]
    driver.scene(Scene(main=A))
    key, delta = {"VP9": (b"\x88\x05key", b"\xc8\x06delta"), "AV1": (b"\x18key", b"\x10delta")}[codec]

    elements = extension_block([(MID_ID, b"1"), (RID_ID, b"f")])
    for seq, payload in enumerate((delta, key, delta), start=10):
        a.raw(build(VP8_TYPE, seq, 3000 * seq, 77, payload, marker=True, extensions=elements))

    packets = b.got("main")
    assert plans[0][0].video == codec
    assert [(p.seq - packets[0].seq) & 0xFFFF for p in packets] == [0, 1]
    bodies = [p.data[p.start : p.end] for p in packets]
    if codec == "AV1":
        assert bodies == [key, delta]
    else:
        ids = [vp9.describe(found, 0, len(found)).picture_id for found in bodies]
        assert ids[1] == (ids[0] or 0) + 1
        assert [found[3:] for found in bodies] == [b"key", b"delta"]


def test_an_element_of_another_kind_is_not_taken_for_ours() -> None:
    driver, a, b = staged()

    a.raw(
        build(
            OPUS_TYPE,
            2000,
            0,
            a.ssrc("microphone", ""),
            b"opus",
            extensions=extension_block([(LEVEL_ID, b"\x10"), (13, b"zz")]),
        )
    )

    (packet,) = b.got("audio-1")
    assert set(packet.extensions) <= {3, 4, 5}
    assert misplaced(driver) == {}
