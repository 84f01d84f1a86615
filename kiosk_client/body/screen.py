"""The screen's power: by the Wayland compositor, by X's DPMS, or by the backlight, whichever is there."""

import re
from pathlib import Path

from kiosk_client.body.display import display
from kiosk_client.body.programs import Programs


def wayland_outputs(text: str) -> dict[str, bool]:
    """Each output of ``wlr-randr`` and whether it is on. A name begins its line; what is told is indented."""
    outputs: dict[str, bool] = {}
    name = ""
    for line in text.splitlines():
        if line and not line[0].isspace():
            name = line.split()[0]
        elif name and (found := re.match(r"\s+Enabled:\s+(yes|no)", line)):
            outputs[name] = found[1] == "yes"
    return outputs


def x_monitor_on(text: str) -> bool | None:
    """From ``xset q``; None when DPMS is off: then X does not know."""
    found = re.search(r"^\s*Monitor is (\S.*)$", text, re.MULTILINE)
    return found[1].strip() == "On" if found else None


class ScreenSense:
    """Reads and sets whether the screen is on."""

    def __init__(self, programs: Programs, root: Path = Path("/")) -> None:
        self._programs = programs
        self._root = root

    async def is_on(self) -> bool | None:
        """None: nothing here tells."""
        way, found = self._way()
        if way == "wlr-randr":
            outputs = await self._outputs(found)
            return any(outputs.values()) if outputs else None
        if way == "xset":
            return x_monitor_on((await self._programs.run(["xset", "q"], more=found)).text)
        powers = [_number(file) for file in self._backlights()]
        told = [power for power in powers if power is not None]
        return any(power == 0 for power in told) if told else None  # FB_BLANK_UNBLANK

    async def turn(self, on: bool) -> str:
        """Empty when it is so, else ``no-screen-control``, ``screen-failed``."""
        way, found = self._way()
        if way == "wlr-randr":
            word = "--on" if on else "--off"
            turned = [
                (await self._programs.run(["wlr-randr", "--output", name, word], more=found)).ok
                for name in await self._outputs(found)
            ]
            return "" if turned and all(turned) else "screen-failed"
        if way == "xset":
            command = ["xset", "dpms", "force", "on" if on else "off"]
            return "" if (await self._programs.run(command, more=found)).ok else "screen-failed"
        lights = self._backlights()
        if not lights:
            return "no-screen-control"
        try:
            for light in lights:
                light.write_text("0" if on else "4")  # FB_BLANK_UNBLANK, FB_BLANK_POWERDOWN
        except OSError:
            return "screen-failed"
        return ""

    def _way(self) -> tuple[str, dict[str, str]]:
        """Which of the programs that can do it has a display to do it on, and where that is."""
        found = display(self._programs.environment) or {}
        if found.get("WAYLAND_DISPLAY") and self._programs.has("wlr-randr"):
            return "wlr-randr", found
        if found.get("DISPLAY") and self._programs.has("xset"):
            return "xset", found
        return "", found

    async def _outputs(self, found: dict[str, str]) -> dict[str, bool]:
        return wayland_outputs((await self._programs.run(["wlr-randr"], more=found)).text)

    def _backlights(self) -> list[Path]:
        return sorted(self._root.glob("sys/class/backlight/*/bl_power"))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
