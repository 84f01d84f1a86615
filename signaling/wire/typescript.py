"""TypeScript types of everything that crosses the wire, made from the Python ones.

``python -m signaling.wire.typescript web/shared/wire.ts`` writes the meetings' file, ``… fleet-wire.ts`` the
fleet's; ``--check`` only says whether it is fresh. A struct becomes an interface (one that JSON
carries as an array a tuple), a tagged one with its
literal ``type``; an enum becomes a union of strings. ``… kiosk-wire.ts`` writes the device's own page's,
``… device-wire.ts`` that of the page that is a bridge point's device itself.
A field with a default is optional in what a client says, and always there in what the server says, since we
encode defaults.
"""

import argparse
import enum
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
from msgspec import inspect

from room_manager.ids import HOST
from room_manager.media import engine
from room_manager.meeting import commands, values
from signaling.wire import client, rest, server
from signaling.wire.fleet import live
from signaling.wire.fleet import types as fleet
from signaling.wire.kiosk import city, device, fingerprint, page
from signaling.wire.kiosk import rest as kiosk_rest
from signaling.wire.kiosk.words import BundleKind, ClockTrust, DeviceKind, EnrolmentState

HEADER: Final = """\
// Made by `python -m signaling.wire.typescript web/shared/{file}` from the Python types. Do not edit.
"""

ENUMS: Final = (values.Role, values.Device, values.LinkKind, values.SiteState, values.Mode, values.FloorEnd)

CONSTANTS: Final = {
    "VERSION": client.VERSION,
    "MAX_MESSAGE_BYTES": client.MAX_MESSAGE_BYTES,
    "MAX_OFFER_BYTES": client.MAX_OFFER_BYTES,
    "MAX_HANDS_TOLD": server.MAX_HANDS_TOLD,
    "MAX_SITES_TOLD": server.MAX_SITES_TOLD,
    "MAX_WALL": client.MAX_WALL,
    "MAX_TILES": commands.MAX_TILES,
    "MAX_REASON_CHARS": commands.MAX_REASON_CHARS,
    "MAX_PEOPLE": commands.MAX_PEOPLE,
    "MAX_SPEAKING_TIME_S": int(commands.MAX_SPEAKING_TIME_S),
    "MAX_MEDIA_SECTIONS": engine.MAX_MEDIA_SECTIONS,
    "HOST": HOST,
}


class Names:
    """Which TypeScript name each Python type has. A name taken on both sides gets its side in front."""

    def __init__(self, client_types: Iterable[type], server_types: Iterable[type]) -> None:
        said = {t.__name__ for t in client_types}
        told = {t.__name__ for t in server_types}
        self._twice = said & told
        self._client = set(client_types)

    def of(self, cls: type) -> str:
        if cls.__name__ not in self._twice:
            return cls.__name__
        return ("Client" if cls in self._client else "Server") + cls.__name__


def expression(kind: inspect.Type, names: Names) -> str:
    """The TypeScript type of a value as JSON carries it."""
    match kind:
        case inspect.StrType() | inspect.DateTimeType():
            return "string"
        case inspect.IntType() | inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.NoneType():
            return "null"
        case inspect.LiteralType(values=literals):
            return " | ".join(literal(v) for v in literals)
        case inspect.EnumType(cls=cls):
            return cls.__name__
        case inspect.StructType(cls=cls):
            return names.of(cls)
        case inspect.UnionType(types=several):
            return " | ".join(expression(t, names) for t in several)
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"readonly {bracketed(expression(item, names))}[]"
        case inspect.DictType(value_type=value):
            return f"Readonly<Record<string, {expression(value, names)}>>"
        case _:
            raise TypeError(f"no TypeScript for {kind}")


def bracketed(text: str) -> str:
    return f"({text})" if "|" in text else text


def literal(value: object) -> str:
    return msgspec.json.encode(value).decode()


def comment(doc: str | None, indent: str = "") -> list[str]:
    """A docstring as a JSDoc comment."""
    lines = [line.strip() for line in (doc or "").strip().splitlines()]
    if not lines:
        return []
    if len(lines) == 1:
        return [f"{indent}/** {lines[0]} */"]
    return [f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"]


def interface(cls: type, names: Names, *, optional: bool) -> list[str]:
    """The lines of one struct."""
    info = inspect.type_info(cls)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{cls} is no struct")
    lines = comment(cls.__doc__ if "__doc__" in cls.__dict__ else None)
    if info.array_like:
        fields = ", ".join(f"{field.encode_name}: {expression(field.type, names)}" for field in info.fields)
        return [*lines, f"export type {names.of(cls)} = readonly [{fields}];"]
    lines.append(f"export interface {names.of(cls)} {{")
    if info.tag is not None:
        lines.append(f"  readonly {info.tag_field}: {literal(info.tag)};")
    omits = info.cls.__struct_config__.omit_defaults
    for field in sorted(info.fields, key=lambda f: f.encode_name not in ("v", "rid")):
        # ``v`` has a default for our own convenience; a client must say it.
        mark = "?" if (optional or omits) and not field.required and field.encode_name != "v" else ""
        lines.append(f"  readonly {field.encode_name}{mark}: {expression(field.type, names)};")
    lines.append("}")
    return lines


def members(union: object) -> tuple[type, ...]:
    return get_args(union) if isinstance(union, types.UnionType) else (union,)


def structs_within(roots: Iterable[type]) -> list[type]:
    """Plain structs that the given ones carry, in the order met."""
    found: dict[type, None] = {}

    def walk(kind: Any) -> None:
        if isinstance(kind, inspect.StructType):
            if kind.cls in found:
                return
            for field in kind.fields:
                walk(field.type)
            found[kind.cls] = None
        if isinstance(kind, inspect.UnionType):
            for part in kind.types:
                walk(part)
        if isinstance(kind, inspect.VarTupleType | inspect.ListType):
            walk(kind.item_type)
        if isinstance(kind, inspect.DictType):
            walk(kind.value_type)

    for root in roots:
        walk(inspect.type_info(root))
    return [cls for cls in found if cls not in set(roots)]


def enum_lines(cls: type[enum.StrEnum]) -> list[str]:
    union = " | ".join(literal(member.value) for member in cls)
    return [*comment(cls.__doc__), f"export type {cls.__name__} = {union};"]


def generate() -> str:
    """The whole file of the meetings' pages."""
    said = members(client.AnyClientMessage)
    told = members(server.AnyServerMessage)
    names = Names(said, told)
    carried = structs_within([*said, *told, *rest.ANSWERS])

    blocks: list[list[str]] = [[HEADER.rstrip().format(file="wire.ts")]]
    blocks.append([f"export const {name} = {literal(value)};" for name, value in CONSTANTS.items()])
    blocks.extend(enum_lines(cls) for cls in ENUMS)
    blocks.extend(interface(cls, names, optional=False) for cls in carried)
    blocks.append(["// --- what a client says ---"])
    blocks.extend(interface(cls, names, optional=True) for cls in said)
    blocks.append(["export type ClientMessage =", *(f"  | {names.of(cls)}" for cls in said)])
    blocks[-1][-1] += ";"
    blocks.append(["// --- what the server says ---"])
    blocks.extend(interface(cls, names, optional=False) for cls in told)
    blocks.append(["export type ServerMessage =", *(f"  | {names.of(cls)}" for cls in told)])
    blocks[-1][-1] += ";"
    blocks.append(["// --- what REST answers ---"])
    blocks.extend(interface(cls, names, optional=False) for cls in rest.ANSWERS)
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def generate_fleet() -> str:
    """The whole file of the fleet's pages."""
    told = members(live.AnyFleetMessage)
    names = Names((), told)
    blocks: list[list[str]] = [[HEADER.rstrip().format(file="fleet-wire.ts")]]
    blocks.extend(enum_lines(cls) for cls in fleet.ENUMS)
    carried = structs_within([*told, *fleet.ANSWERS])
    blocks.extend(interface(cls, names, optional=False) for cls in carried)
    blocks.append(["// --- what the live feed says ---"])
    blocks.extend(interface(cls, names, optional=False) for cls in told)
    blocks.append(["export type FleetMessage =", *(f"  | {names.of(cls)}" for cls in told)])
    blocks[-1][-1] += ";"
    blocks.append(["// --- what REST takes and answers ---"])
    blocks.extend(interface(cls, names, optional=cls.__name__.startswith("Ask")) for cls in fleet.ANSWERS)
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def generate_kiosk() -> str:
    """The whole file of the device's own page."""
    said = members(page.AnyPageMessage)
    names = Names(said, [page.Shown])
    blocks: list[list[str]] = [[HEADER.rstrip().format(file="kiosk-wire.ts")]]
    blocks.extend(interface(cls, names, optional=False) for cls in structs_within([page.Shown]))
    blocks.append(interface(page.Shown, names, optional=False))
    blocks.extend(interface(cls, names, optional=True) for cls in said)
    blocks.append(["export type PageMessage =", *(f"  | {names.of(cls)}" for cls in said)])
    blocks[-1][-1] += ";"
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def generate_device() -> str:
    """The file of the page that is a bridge point's device itself."""
    said = members(device.AnyDeviceMessage)
    told = members(city.AnyCityMessage)
    asked = (kiosk_rest.AskEnrolment, kiosk_rest.ProveEnrolment)
    answered = (kiosk_rest.Enrolled, kiosk_rest.EnrolmentNews)
    names = Names(said, told)
    words = {"THINGS": fingerprint.THINGS, "KINDS": fingerprint.KINDS}
    blocks: list[list[str]] = [[HEADER.rstrip().format(file="device-wire.ts")]]
    blocks.append(
        [f"export const {name}: readonly string[] = {literal(value)};" for name, value in words.items()]
    )
    blocks.extend(enum_lines(cls) for cls in (DeviceKind, ClockTrust, EnrolmentState, BundleKind))
    carried = structs_within([*said, *told, *asked, *answered])
    blocks.extend(interface(cls, names, optional=False) for cls in carried)
    blocks.append(["// --- what a device says ---"])
    blocks.extend(interface(cls, names, optional=True) for cls in said)
    blocks.append(["export type DeviceMessage =", *(f"  | {names.of(cls)}" for cls in said)])
    blocks[-1][-1] += ";"
    blocks.append(["// --- what the city says ---"])
    blocks.extend(interface(cls, names, optional=False) for cls in told)
    blocks.append(["export type CityMessage =", *(f"  | {names.of(cls)}" for cls in told)])
    blocks[-1][-1] += ";"
    blocks.append(["// --- what REST takes and answers ---"])
    blocks.extend(interface(cls, names, optional=cls in asked) for cls in (*asked, *answered))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


FILES: Final = {
    "wire.ts": generate,
    "fleet-wire.ts": generate_fleet,
    "kiosk-wire.ts": generate_kiosk,
    "device-wire.ts": generate_device,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m signaling.wire.typescript", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file is not fresh")
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    make = FILES.get(options.file.name)
    if make is None:
        parser.error(f"FILE must be named {' or '.join(FILES)}")
    text = make()
    if options.check:
        if options.file.exists() and options.file.read_text(encoding="utf-8") == text:
            return 0
        command = f"python -m signaling.wire.typescript {options.file}"
        print(f"{options.file} is not fresh: run `{command}`", file=sys.stderr)
        return 1
    options.file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
