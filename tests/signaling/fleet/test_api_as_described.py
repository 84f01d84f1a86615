"""The fleet's REST does what ``/api/openapi.json`` says: schemathesis asks a real server whatever the
description allows, and what it does not."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from starlette.routing import Route

from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.geography import Geography
from kiosk_hub.store.staff import StaffStore
from room_manager.roster.builtin import hanoi_579
from signaling.app import create_app
from signaling.cli.storage import opened
from signaling.passwords import hash_password
from signaling.settings import Settings
from tests.helpers.fleet import device
from tests.helpers.server import LiveServer
from tests.helpers.staff import PASSWORD

LOGINS: Final = 12
"""So many browsers take turns: one log-in may ask twenty questions a second."""

QUICK: Final = 3
LONG: Final = 60


class Api:
    """A server with devices, its description, and browsers that are logged in."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        document = requests.get(f"{server.origin}/api/openapi.json", timeout=10).json()
        self.document: dict[str, Any] = json.loads(json.dumps(document))
        for path in document["paths"].values():
            for operation in path.values():
                del operation["security"]  # we are logged in; what happens otherwise has a test of its own
        self.schema: BaseSchema = schemathesis.openapi.from_dict(document)
        self._browsers = [self._log_in(f"a{number // 4}") for number in range(LOGINS)]
        self._turn = 0

    def _log_in(self, name: str) -> tuple[requests.Session, dict[str, str]]:
        session = requests.Session()
        session.headers["origin"] = self.server.origin
        answer = session.post(
            f"{self.server.origin}/api/session", json={"name": name, "password": PASSWORD}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return session, {"X-CSRF-Token": answer.json()["csrf"]}

    def operations(self) -> list[Any]:
        found: list[Any] = list(self.schema.get_all_operations())
        return [result.ok() for result in found]

    def ask(self, case: Any) -> None:
        """One request; its answer must be as described."""
        case.body = plain(case.body)
        self._turn += 1
        session, headers = self._browsers[self._turn % LOGINS]
        while True:
            response = case.call(self.server.origin, session, headers)
            if response.status_code != 429:
                break
            time.sleep(0.05)  # asked too often, as described: the test is not about that
        # A rule of the fleet ("from: it must lie before to") that JSON Schema cannot say, told as such.
        is_rule = response.status_code == 400 and response.json()["code"] == "invalid"
        # Too big is a refusal too, though schemathesis does not count 413 as one.
        excluded = [positive_data_acceptance] if is_rule else []
        excluded += [negative_data_rejection] if response.status_code == 413 else []
        case.validate_response(response, headers=headers, excluded_checks=excluded)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    server = LiveServer(tmp_path_factory.mktemp("api"), flags=())

    async def furnish() -> None:
        async with opened(server.db) as stores:
            await stores.roster.import_units(hanoi_579())
            geography = Geography(stores.roster)
            await geography.refresh()
            directory = Directory(stores.database, geography, time.time)
            async with directory.change() as change:
                for number in range(1, 4):
                    await change.put(device(number))
            hash = hash_password(PASSWORD)
            for number in range(LOGINS // 4):
                await stores.accounts.add(f"a{number}", "Bà An", hash, None)
                await StaffStore(stores.database).set(f"a{number}", Grant(FleetRole.ADMINISTRATOR))

    asyncio.run(furnish())
    server.start()
    try:
        yield Api(server)
    finally:
        server.stop()


def plain(value: Any) -> Any:
    """To JSON Schema 2.0 is an integer, and it generates some; who writes JSON writes 2."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


def check(api: Api, mode: GenerationMode, most: int) -> None:
    failed: list[str] = []
    for operation in api.operations():

        @settings(
            max_examples=most,
            deadline=None,
            derandomize=True,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            known = {"device": "d00001"}
            for name, value in known.items():
                if name in case.path_parameters and mode is GenerationMode.POSITIVE:
                    case.path_parameters[name] = value
            api.ask(case)

        try:
            ask()
        except Unsatisfiable:
            continue  # it takes nothing that could be wrong
        except (Exception, FailureGroup) as error:
            failed.append(f"{operation.label}: {error}")
    assert not failed, "\n\n".join(failed)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_answers_as_described(api: Api, mode: GenerationMode) -> None:
    check(api, mode, QUICK)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_answers_as_described_at_length(api: Api, mode: GenerationMode) -> None:
    check(api, mode, LONG)


def test_every_route_is_described_and_every_description_is_a_route(api: Api) -> None:
    app = create_app(Settings(database_url="sqlite+aiosqlite:///never-opened.db"))
    routes = {
        (method, route.path.replace(":path", ""))
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith(("/api/fleet", "/api/kiosk"))
        for method in set(route.methods or ()) - {"HEAD"}
    }

    described = {
        (method.upper(), path) for path, operations in api.document["paths"].items() for method in operations
    }

    assert described == routes


def test_nobody_is_answered_without_what_the_description_asks_for(api: Api) -> None:
    """The pages' operations need the cookie, changes the token too, files a device's own token."""
    browser, _ = api._browsers[0]
    asked = 0
    for path, operations in api.document["paths"].items():
        for method, operation in operations.items():
            url = api.server.origin + path.replace("{", "").replace("}", "")
            security = operation["security"]
            if not security:
                continue
            asked += 1
            answer = requests.request(method, url, timeout=10)
            assert answer.status_code == 401, (method, path, answer.text)
            if "csrf" in security[0]:
                answer = browser.request(method, url, timeout=10)
                assert (answer.status_code, answer.json()["code"]) == (403, "forged"), (method, path)
    assert asked > 30
