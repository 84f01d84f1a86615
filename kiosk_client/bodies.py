"""Which body and which updater an agent of this machine gets."""

import os
import shutil
from pathlib import Path
from typing import Final

from kiosk_client.body.browser_life import BrowserSettings
from kiosk_client.body.machine import MachineSense
from kiosk_client.body.real import BodySettings, RealBody
from kiosk_client.config import NONE, BadConfig, Config
from kiosk_client.no_updates import NoUpdates
from kiosk_client.ports import Body, Updater
from kiosk_client.updates.runtime import VenvRuntime
from kiosk_client.updates.updater import BundleUpdater
from signaling.wire.kiosk.words import DeviceKind

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
WINDOW: Final = {"width_px": 540, "height_px": 960}


def body_for(config: Config, kind: DeviceKind) -> Body:
    """Raises BadConfig."""
    camera = "" if config.camera == NONE else config.camera
    return RealBody(
        BodySettings(
            browser=_browser(config) if kind is DeviceKind.KIOSK else None,
            camera=camera,
            content=Path(config.content) if config.content else None,
            may_reboot=config.allow_reboot,
        )
    )


def updater_for(config: Config, kind: DeviceKind, body: Body, agent: str) -> Updater:
    """A bridge point's PC is kept by its owner."""
    if kind is not DeviceKind.KIOSK or not config.updates:
        return NoUpdates()
    return BundleUpdater(body, VenvRuntime(), agent=agent, hardware=config.hardware or hardware())


def hardware() -> str:
    """Model and serial number."""
    return MachineSense().hardware()


def _browser(config: Config) -> BrowserSettings | None:
    if config.browser == NONE:
        return None
    found = next(filter(None, map(shutil.which, [config.browser] if config.browser else BROWSERS)), None)
    if found is None:
        raise BadConfig(
            f"browser: {config.browser or 'no Chromium'} is not there; say --browser PATH, or none"
        )
    return BrowserSettings(
        program=found,
        profiles=_profiles(config),
        headless=True if config.headless else None,
        window=config.window,
        **(WINDOW if config.window else {}),
        arguments=config.browser_arguments,
    )


def _profiles(config: Config) -> Path:
    """In memory where the service manager gives a folder there (systemd.exec(5), RuntimeDirectory)."""
    memory = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(memory) if memory else Path(config.state).expanduser().absolute() / "browser"
