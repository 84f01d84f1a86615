"""The screen's power: by the Wayland compositor, by X's DPMS, or by the backlight, whichever is there."""

import re
from pathlib import Path

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
        if self._by_wayland():
            outputs = wayland_outputs((await self._programs.run(["wlr-randr"])).text)
            return any(outputs.values()) if outputs else None
        if self._by_x():
            return x_monitor_on((await self._programs.run(["xset", "q"])).text)
        powers = [_number(file) for file in self._backlights()]
        told = [power for power in powers if power is not None]
        return any(power == 0 for power in told) if told else None  # FB_BLANK_UNBLANK

    async def turn(self, on: bool) -> str:
        """Empty when it is so, else ``no-screen-control``, ``screen-failed``."""
        if self._by_wayland():
            outputs = wayland_outputs((await self._programs.run(["wlr-randr"])).text)
            word = "--on" if on else "--off"
            done = [(await self._programs.run(["wlr-randr", "--output", name, word])).ok for name in outputs]
            return "" if done and all(done) else "screen-failed"
        if self._by_x():
            ran = await self._programs.run(["xset", "dpms", "force", "on" if on else "off"])
            return "" if ran.ok else "screen-failed"
        lights = self._backlights()
        if not lights:
            return "no-screen-control"
        try:
            for light in lights:
                light.write_text("0" if on else "4")  # FB_BLANK_UNBLANK, FB_BLANK_POWERDOWN
        except OSError:
            return "screen-failed"
        return ""

    def _by_wayland(self) -> bool:
        return bool(self._programs.variable("WAYLAND_DISPLAY")) and self._programs.has("wlr-randr")

    def _by_x(self) -> bool:
        return bool(self._programs.variable("DISPLAY")) and self._programs.has("xset")

    def _backlights(self) -> list[Path]:
        return sorted(self._root.glob("sys/class/backlight/*/bl_power"))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
