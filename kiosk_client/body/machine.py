"""The machine itself: how busy, how warm, how well fed, and by which kind of line it is connected."""

import time
from pathlib import Path
from typing import Final, Literal

import psutil

from signaling.wire.kiosk.words import Load

Kind = Literal["wired", "wireless", "mobile", "unknown"]

CPU_OVER_S: Final = 5.0

HOTTEST_SENSORS: Final = ("cpu_thermal", "coretemp", "k10temp", "soc_thermal", "acpitz")
"""Drivers whose reading is the processor's, the surest first; a disk's or a modem's is another matter."""


def millidegrees(text: str) -> float | None:
    """``48312`` → 48.3 °C. Some boards answer nonsense while they start; that is no temperature."""
    try:
        celsius = int(text) / 1000
    except ValueError:
        return None
    return celsius if -40.0 <= celsius <= 150.0 else None


def default_interface(routes: str) -> str:
    """The interface of the IPv4 default route with the lowest metric, from ``/proc/net/route``."""
    best: tuple[int, str] | None = None
    for line in routes.splitlines()[1:]:
        words = line.split()
        if len(words) < 8 or words[1] != "00000000" or words[7] != "00000000":
            continue
        if not int(words[3], 16) & 1:  # RTF_UP
            continue
        if best is None or int(words[6]) < best[0]:
            best = (int(words[6]), words[0])
    return best[1] if best else ""


class MachineSense:
    """What can be known of the machine. ``root`` is where ``/proc`` and ``/sys`` are."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._undervoltage_seen = False
        psutil.cpu_percent(interval=None)  # the first answer is always 0; it starts the count
        self._cpu_share = 0.0
        self._cpu_at: float | None = None

    def look(self) -> Load:
        """Now; the processor's share is since the look before, and at least of some seconds: two beats may
        follow each other at once, and a moment says nothing."""
        now = time.monotonic()
        if self._cpu_at is None or now - self._cpu_at >= CPU_OVER_S:
            self._cpu_share = min(1.0, max(0.0, psutil.cpu_percent(interval=None) / 100))
            self._cpu_at = now
        return Load(
            cpu_share=self._cpu_share,
            memory_share=min(1.0, max(0.0, psutil.virtual_memory().percent / 100)),
            temperature_c=self.temperature_c(),
            undervoltage=self.undervoltage(),
            uptime_s=max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME)),
        )

    def temperature_c(self) -> float | None:
        """The processor's; of several readings the highest. None: no thermometer."""
        by_driver: dict[str, list[float]] = {}
        for label in self._root.glob("sys/class/hwmon/hwmon*/name"):
            found = [millidegrees(_text(file)) for file in label.parent.glob("temp*_input")]
            by_driver.setdefault(_text(label).strip(), []).extend(t for t in found if t is not None)
        for driver in HOTTEST_SENSORS:
            if by_driver.get(driver):
                return max(by_driver[driver])
        zones = [
            millidegrees(_text(file)) for file in self._root.glob("sys/class/thermal/thermal_zone*/temp")
        ]
        return max((t for t in zones if t is not None), default=None)

    def undervoltage(self) -> bool | None:
        """Has the supply been too weak since we started? None: nothing here tells.

        ``rpi_volt`` (Linux's raspberrypi-hwmon) raises ``in0_lcrit_alarm``; other chips have ``in*_alarm``
        per rail, set while a rail is out of its limits.
        """
        told = False
        for label in self._root.glob("sys/class/hwmon/hwmon*/name"):
            alarms = [label.parent / "in0_lcrit_alarm"] if _text(label).strip() == "rpi_volt" else []
            for alarm in alarms:
                text = _text(alarm).strip()
                if text in ("0", "1"):
                    told = True
                    self._undervoltage_seen |= text == "1"
        return self._undervoltage_seen if told else None

    def network_kind(self) -> Kind:
        """What the way to everywhere goes over."""
        name = default_interface(_text(self._root / "proc/net/route"))
        if not name:
            return "unknown"
        there = self._root / "sys/class/net" / name
        if (there / "wireless").exists() or (there / "phy80211").exists():
            return "wireless"
        if name.startswith(("wwan", "ppp", "rmnet")) or "DEVTYPE=wwan" in _text(there / "uevent"):
            return "mobile"
        # ARPHRD_ETHER; a bridge or a tunnel is Ethernet too, and wired as far as we can know.
        return "wired" if _text(there / "type").strip() == "1" else "unknown"

    def hardware(self) -> str:
        """Model and serial number, for staff to recognise the machine; at most 200 characters."""
        vendor = _text(self._root / "sys/class/dmi/id/sys_vendor").strip()
        model = _text(self._root / "sys/class/dmi/id/product_name").strip()
        board = _text(self._root / "proc/device-tree/model").strip("\0 \n")
        serial = _text(self._root / "sys/class/dmi/id/product_serial").strip() or _text(
            self._root / "proc/device-tree/serial-number"
        ).strip("\0 \n")
        words = [board or " ".join(word for word in (vendor, model) if word) or "Linux", serial]
        return " · ".join(" ".join(word.split()) for word in words if word)[:200]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
