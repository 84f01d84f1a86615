"""What an agent is told about itself: by a TOML file, over it by the environment, over both by arguments.

Nothing of it is secret; the device's key is made by the device.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from kiosk_client.errors import BadState
from kiosk_client.wire import normal_server

PREFIX: Final = "DIEMCAU_AGENT_"
NONE: Final = "none"


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. Paths in a file are relative to the folder the agent runs in."""

    server: str = ""  # https://diemcau.example
    state: str = "/var/lib/diemcau-kiosk"
    ca: str | None = None  # a file with the certificate to trust beside the system's
    camera: str | None = None  # a device or a film; "" or "none": none; unset: as the city says, or the first
    browser: str | None = None  # a path; "none": no page is shown; unset: the one that is installed
    content: str | None = None  # a folder of content to show until the city has given some
    allow_reboot: bool = False
    window: bool = False  # the page in a small window instead of over the whole screen
    headless: bool = False  # the page without a screen
    browser_arguments: tuple[str, ...] = ()  # beside our own
    hardware: Annotated[str, Meta(max_length=200, pattern=r"^[^\n\r]*$")] = (
        ""  # unset: model and serial of this machine
    )
    updates: bool = True
    verbose: bool = False


class BadConfig(BadState):
    """What is wrong, in one line that names the setting."""

    code = "bad-config"


def load(file: Path | None, environment: Mapping[str, str], given: Mapping[str, Any]) -> Config:
    """The settings in force. ``given``: from the command line, without what was not said.

    Raises:
        BadConfig: A setting is unknown, or none at all.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values |= tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise BadConfig(f"{file}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadConfig(f"{file}: {error}") from None
    for name in Config.__struct_fields__:
        said = environment.get(PREFIX + name.upper())
        if said is not None:
            values[name] = _converted(name, said)
    values |= given
    try:
        config = msgspec.convert(values, Config)
        return msgspec.structs.replace(config, server=normal_server(config.server))
    except msgspec.ValidationError as error:
        raise BadConfig(str(error)) from None
    except ValueError as error:
        raise BadConfig(f"server: {error}") from None


def _converted(name: str, said: str) -> object:
    default = getattr(Config(), name)
    if isinstance(default, tuple):
        return said.split()
    if not isinstance(default, bool):
        return said
    if said.lower() in ("1", "yes", "true", "on"):
        return True
    if said.lower() in ("0", "no", "false", "off", ""):
        return False
    raise BadConfig(f"{PREFIX}{name.upper()}: yes or no, not {said}")


def from_process(file: str | None, given: Mapping[str, Any]) -> Config:
    """With this process's environment."""
    return load(Path(file) if file else None, os.environ, {k: v for k, v in given.items() if v is not None})
