"""When a resident is being served, what is counted of it, and which page that makes; walked at random."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_client.body import sessions
from kiosk_client.body.sessions import Service
from kiosk_client.body.stage import Stage, serves, shown
from kiosk_client.ports import Pairing, Standing
from signaling.wire.kiosk.page import Announcement, Words
from signaling.wire.kiosk.words import Sessions

PAIRING = Pairing("H7K2PM", "https://x.example/#H7K2PM", ("sen", "trúc", "mai", "đào"), 1300.0)
NEWS = (Announcement("a", Words("Thông báo"), Words("Nội dung")),)


def test_a_session_ends_by_itself_so_long_after_the_last_touch_as_is_configured() -> None:
    service, _ = sessions.begin(Service(), 100.0)
    service = sessions.touch(service, 130.0)

    assert sessions.pass_time(service, 219.999, 90.0) == (service, None)
    ended, counted = sessions.pass_time(service, 220.0, 90.0)

    assert not ended.active
    assert counted == Sessions(hour=0, abandoned=1)


def test_who_touches_twice_has_begun_once() -> None:
    service, _ = sessions.begin(Service(), 100.0)

    again, counted = sessions.begin(service, 110.0)

    assert counted is None
    assert again == Service(touched_at=110.0, number=1)


def test_a_count_is_of_the_hour_it_was_made_in() -> None:
    counted = Sessions(hour=0, begun=1)

    assert sessions.of_the_hour(counted, 3_600.0 * 11 - 0.001) == Sessions(hour=10, begun=1)
    assert sessions.of_the_hour(counted, 3_600.0 * 11) == Sessions(hour=11, begun=1)


STEPS = st.lists(
    st.tuples(st.sampled_from(["begin", "touch", "finish", "abandon", "time"]), st.floats(0.0, 90.0)),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_happens_every_session_that_began_ends_once_or_is_running(
    steps: list[tuple[str, float]],
) -> None:
    service, now, told = Service(), 0.0, list[Sessions]()
    for step, passed_s in steps:
        now += passed_s
        counted: Sessions | None = None
        match step:
            case "begin":
                service, counted = sessions.begin(service, now)
            case "touch":
                service = sessions.touch(service, now)
            case "finish":
                service, counted = sessions.finish(service)
            case "abandon":
                service, counted = sessions.abandon(service)
            case _:
                service, counted = sessions.pass_time(service, now, 60.0)
        if counted is not None:
            told.append(counted)

    begun = sum(one.begun for one in told)
    assert begun == sum(one.finished + one.abandoned for one in told) + service.active
    assert begun == service.number


STAGES = st.builds(
    Stage,
    standing=st.builds(
        Standing,
        st.sampled_from(["starting", "enrolling", "connected", "cut", "sent-away"]),
        st.sampled_from(["", "too-many", "superseded", "quarantined", "refused"]),
        st.sampled_from([None, PAIRING]),
    ),
    out_of_service=st.sampled_from([None, "bảo trì"]),
    service=st.sampled_from([Service(), Service(touched_at=1.0, number=3)]),
    announcements=st.sampled_from([(), NEWS]),
)


@given(STAGES, st.sampled_from([None, 1000.0, 2000.0]))
def test_each_page_has_what_it_needs_and_a_resident_is_served_only_where_one_may_be(
    stage: Stage, now: float | None
) -> None:
    drawn = shown(stage, now)

    assert (drawn.scene in ("attract", "session")) == serves(stage)
    assert (drawn.pairing is not None) == (drawn.scene == "pairing")
    assert (drawn.message != "") == (stage.out_of_service is not None)
    assert drawn.code == "" or drawn.scene == "sent-away"
    if drawn.scene in ("pairing", "sent-away", "wait"):
        assert drawn.announcements == ()


def test_a_passing_refusal_is_nothing_for_residents_and_a_lasting_one_is() -> None:
    assert shown(Stage(standing=Standing("sent-away", "superseded")), None).scene == "attract"
    assert shown(Stage(standing=Standing("sent-away", "quarantined")), None).scene == "sent-away"


def test_a_code_says_how_long_it_is_good_for() -> None:
    drawn = shown(Stage(standing=Standing("enrolling", pairing=PAIRING)), 1000.0)

    assert drawn.pairing is not None
    assert drawn.pairing.minutes == 5
