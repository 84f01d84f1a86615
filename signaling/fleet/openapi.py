"""The fleet's REST as OpenAPI 3.1, at ``/api/openapi.json``: made of the same values the routes are made of.

OpenAPI 3.1 takes JSON Schema 2020-12 as it is, which is what msgspec makes of the wire's structs.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from signaling.fleet.operation import Operation, Query
from signaling.fleet.operations import OPERATIONS
from signaling.http import STATUS
from signaling.kiosk.described import DEVICE_CALLS, DeviceCall
from signaling.wire.rest import ErrorBody

VERSION: Final = "3.1.0"
Json = dict[str, Any]

ALWAYS: Final = ("not-logged-in", "not-allowed", "too-many", "busy", "bad-host", "internal")
"""What every operation of the pages may be refused with."""

WITH_QUERY: Final = ("invalid",)
WRITING: Final = ("forged", "not-stored", "in-doubt", "too-big", "too-slow", "invalid")
WITH_BODY: Final = ("bad-json", "bad-field", "invalid", "invalid-utf8")
DEVICE_ALWAYS: Final = (
    "too-many",
    "busy",
    "not-stored",
    "in-doubt",
    "bad-host",
    "too-big",
    "too-slow",
    "internal",
)
GUARD_STATUS: Final = {"bad-host": 400, "too-slow": 408, "not-found": 404}
"""Codes of the guard and the router, which stand before every route."""

SECURITY: Final[Json] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "diemcau",
        "description": "Set by `POST /api/session`, `{name, password}`; called `__Host-diemcau` over https.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "For what changes something: `csrf` of `POST /api/session` or `GET /api/fleet/me`.",
    },
    "device": {
        "type": "http",
        "scheme": "bearer",
        "description": "A device's token: from its WebSocket's welcome, or `POST /api/kiosk/tokens`.",
    },
}


class Refusal(Struct, frozen=True):
    """Codes that come with one status."""

    status: int
    codes: tuple[str, ...]


def status_of(code: str) -> int:
    return GUARD_STATUS.get(code) or STATUS.get(code, 409)


def document(operations: Iterable[Operation], calls: Iterable[DeviceCall]) -> Json:
    """The whole description."""
    operations, calls = tuple(operations), tuple(calls)
    kinds: list[Any] = [ErrorBody]
    for operation in operations:
        kinds += [kind for kind in (operation.body, operation.answer) if kind is not None]
    for call in calls:
        kinds += [kind for kind in (call.body, call.answer) if kind is not None]
    unique = list({repr(kind): kind for kind in kinds}.values())
    made, components = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    schema_of = {repr(kind): schema for kind, schema in zip(unique, made, strict=True)}
    paths: dict[str, Json] = {}
    for operation in operations:
        path = paths.setdefault(f"/api/fleet{operation.path}", {})
        path[operation.method.lower()] = _operation(operation, schema_of)
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = _device_call(call, schema_of)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Điểm Cầu: the fleet",
            "version": "0.1.0",
            "description": (
                "Kiosks and the devices of bridge points: what staff's pages ask, and what devices ask. "
                "A refusal is an `ErrorBody`: programs look at `code`, which is never renamed. "
                "Times are seconds, UTC."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": SECURITY},
    }


def _operation(operation: Operation, schema_of: Mapping[str, Json]) -> Json:
    writes = operation.method not in ("GET",)
    codes = [*ALWAYS, *operation.refusals]
    if operation.query:
        codes += WITH_QUERY
    if writes:
        codes += WRITING
    if operation.body is not None:
        codes += WITH_BODY
    names = re.findall(r"{(\w+)}", operation.path)
    if names:
        codes.append("not-found")
    made: Json = {
        "operationId": _id(operation.method, f"/fleet{operation.path}"),
        "tags": [operation.path.split("/")[1]],
        "summary": operation.summary,
        "description": f"For whoever may `{operation.action}`.",
        "security": [{"session": [], "csrf": []}] if writes else [{"session": []}],
        "parameters": [*map(_path_parameter, names), *map(_query_parameter, operation.query)],
        "responses": _responses(operation.status, operation.answer, _media(operation), codes, schema_of),
    }
    if operation.body is not None:
        made["requestBody"] = _body(operation.body, schema_of)
    return made


def _device_call(call: DeviceCall, schema_of: Mapping[str, Json]) -> Json:
    codes = [*DEVICE_ALWAYS, *call.refusals]
    if call.body is not None:
        codes += WITH_BODY
    names = re.findall(r"{(\w+)}", call.path)
    if names:
        codes.append("not-found")
    made: Json = {
        "operationId": _id(call.method, call.path.removeprefix("/api")),
        "tags": ["device"],
        "summary": call.summary,
        "security": [{"device": []}] if call.bearer else [],
        "parameters": [
            *map(_path_parameter, names),
            *(
                {"name": name, "in": "query", "required": True, "schema": schema}
                for name, schema in call.query.items()
            ),
        ],
        "responses": _responses(call.status, call.answer, (call.media_type,), codes, schema_of),
    }
    if call.body is not None:
        made["requestBody"] = _body(call.body, schema_of)
    elif call.takes_bytes:
        made["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    return made


def _responses(
    status: int,
    answer: Any,
    media_types: tuple[str, ...],
    codes: Iterable[str],
    schema_of: Mapping[str, Json],
) -> Json:
    made: Json = {}
    if answer is not None:
        content = {media_types[0]: {"schema": schema_of[repr(answer)]}}
        made[str(status)] = {"description": "As asked.", "content": content}
    elif media_types != ("application/json",):
        file: Json = {media_type: {"schema": {}} for media_type in media_types}
        made[str(status)] = {"description": "A file.", "content": file}
    else:
        made["204"] = {"description": "Done."}
    by_status: dict[int, set[str]] = {}
    for code in codes:
        by_status.setdefault(status_of(code), set()).add(code)
    refusal = {"application/json": {"schema": schema_of[repr(ErrorBody)]}}
    for number, found in sorted(by_status.items()):
        named = ", ".join(f"`{code}`" for code in sorted(found))
        made[str(number)] = {"description": f"Refused: {named}.", "content": refusal}
    return made


def _media(operation: Operation) -> tuple[str, ...]:
    return (operation.media_type, *operation.other_media_types)


def _path_parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query_parameter(query: Query) -> Json:
    schema: Json
    if query.kind is int:
        schema = {"type": "integer", "minimum": query.least, "maximum": query.most}
    elif query.choices:
        schema = {"type": "string", "enum": ["", *query.choices]}  # empty: as if it were not there
    else:
        schema = {"type": "string", "maxLength": query.most}
    return {
        "name": query.name,
        "in": "query",
        "required": False,
        "description": query.what,
        "schema": schema,
    }


def _body(kind: Any, schema_of: Mapping[str, Json]) -> Json:
    return {"required": True, "content": {"application/json": {"schema": schema_of[repr(kind)]}}}


def _id(method: str, path: str) -> str:
    words = re.sub(r"[{}]", "", path).strip("/").replace("/", "-")
    return f"{method.lower()}-{words}"


@cache
def _encoded() -> bytes:
    return msgspec.json.encode(document(OPERATIONS, DEVICE_CALLS))


async def _get(request: Request) -> Response:
    """Public: it says how to ask, and nothing of who or what there is."""
    return Response(_encoded(), media_type="application/json")


def openapi_routes() -> list[BaseRoute]:
    return [Route("/api/openapi.json", _get, methods=["GET"])]
