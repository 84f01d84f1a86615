"""What the kernel and other programs print, as real machines print it, becomes facts with units."""

import asyncio
import math
import socket
import tempfile
from array import array
from pathlib import Path

import numpy as np
import pytest

from kiosk_client.body import disk, machine, printer, screen, slip, sound, touch
from kiosk_client.body.budget import Budget
from kiosk_client.body.display import display
from kiosk_client.body.programs import TOO_SLOW, Programs
from kiosk_client.body.service_state import ServiceState
from kiosk_client.errors import NotKept

MOUNTS = """\
/dev/mmcblk0p2 / ext4 rw,noatime 0 0
tmpfs /run tmpfs rw,nosuid,nodev,size=395308k,mode=755 0 0
/dev/mmcblk0p1 /boot/firmware vfat rw,relatime,fmask=0022 0 0
/dev/nvme0n1p3 /var/lib/di\\040em ext4 ro,relatime,errors=remount-ro 0 0
overlay /var/lib overlay rw,relatime 0 0
"""

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
"""

INPUTS = """\
I: Bus=0003 Vendor=0eef Product=0001 Version=0111
N: Name="eGalax Inc. USB TouchController"
P: Phys=usb-0000:01:00.0-1.3/input0
H: Handlers=mouse0 event2
B: PROP=2
B: EV=1b
B: KEY=400 0 0 0 0 0
B: ABS=260800000000003

I: Bus=0018 Vendor=04f3 Product=0000 Version=0100
N: Name="Elan Touchpad"
H: Handlers=mouse1 event5
B: PROP=1
B: EV=b
B: ABS=260800000000003

I: Bus=0003 Vendor=046d Product=c31c Version=0110
N: Name="Logitech USB Keyboard"
H: Handlers=sysrq kbd event0 leds
B: PROP=0
B: EV=120013
"""

LPSTAT = """\
printer slip is idle.  enabled since Fri 27 Nov 2026 07:30:11 PM +07
\tForm mounted:
\tContent types: any
\tDescription: Custom VKP80III
\tAlerts: {alerts}
\tLocation: sanh A
"""

RANDR = """\
HDMI-A-1 "Dell Inc. DELL P2419H 7GV3R23 (HDMI-A-1)"
  Make: Dell Inc.
  Physical size: 530x300 mm
  Enabled: {one}
  Modes:
    1920x1080 px, 60.000000 Hz (preferred, current)
HDMI-A-2 "Unknown"
  Enabled: no
"""


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("0x01 0x01\n", 0.1),
        ("0x02 0x05\n", 0.5),
        ("0x0b 0x01", 1.0),
        ("0x00 0x00", None),
        ("", None),
        ("n/a", None),
    ],
)
def test_emmc_tells_its_wear_in_steps_of_ten_percent(text: str, share: float | None) -> None:
    assert disk.emmc_wear(text) == share


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ('{"critical_warning":0,"percent_used":7}', 0.07),
        ('{"percentage_used":140}', 1.0),
        ("[]", None),
        ("oops", None),
    ],
)
def test_nvme_tells_its_wear_in_percent_even_beyond_its_life(text: str, share: float | None) -> None:
    assert disk.nvme_wear(text) == share


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("/dev/mmcblk0p2", ("mmcblk0p2", "mmcblk0")),
        ("/dev/nvme0n1p3", ("nvme0n1p3", "nvme0n1")),
        ("/dev/sda1", ("sda1", "sda")),
        ("/dev/vda", ("vda", "vda")),
        ("overlay", ("overlay", "overlay")),
    ],
)
def test_a_partition_is_on_a_disk(source: str, names: tuple[str, str]) -> None:
    assert disk.block_device(source) == names


def test_the_file_system_of_a_folder_is_the_deepest_mount_that_holds_it() -> None:
    assert disk.mount_of(MOUNTS, "/home/kiosk") == ("/dev/mmcblk0p2", "ext4", False)
    assert disk.mount_of(MOUNTS, "/run/user") == ("tmpfs", "tmpfs", False)
    assert disk.mount_of(MOUNTS, "/runner") == ("/dev/mmcblk0p2", "ext4", False)
    assert disk.mount_of(MOUNTS, "/var/lib/di em/state") == ("/dev/nvme0n1p3", "ext4", True)


def test_the_disk_is_really_written_to_and_left_as_it_was(tmp_path: Path) -> None:
    left = tmp_path / f"{disk.PROBE_PREFIX}0000"
    left.touch()

    found = asyncio.run(disk.DiskSense(tmp_path, Programs()).look())

    assert found.writable
    assert found.free_bytes > 0
    assert 0.0 <= found.free_share <= 1.0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_file_is_not_writable(tmp_path: Path) -> None:
    there = tmp_path / "state"
    there.mkdir()
    sense = disk.DiskSense(there, Programs())
    there.rmdir()

    assert asyncio.run(sense.look()).writable is False


def test_wear_and_errors_are_read_from_the_disk_the_folder_is_on(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for path, text in {
        "proc/self/mounts": f"/dev/mmcblk0p2 {tmp_path} ext4 ro 0 0\n",
        "sys/block/mmcblk0/device/life_time": "0x03 0x02\n",
        "sys/fs/ext4/mmcblk0p2/errors_count": "17\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    found = asyncio.run(disk.DiskSense(tmp_path, Programs(), root).look())

    assert (found.wear_share, found.errors, found.writable) == (0.3, 17, False)


def test_the_machine_tells_its_own_load() -> None:
    found = machine.MachineSense().look()

    assert 0.0 <= found.cpu_share <= 1.0
    assert 0.0 < found.memory_share <= 1.0
    assert found.uptime_s > 0.0


def test_a_beat_right_after_another_tells_the_same_load() -> None:
    sense = machine.MachineSense()

    assert len({sense.look().cpu_share for _ in range(20)}) == 1


def hwmon(root: Path, number: int, name: str, files: dict[str, str]) -> None:
    there = root / f"sys/class/hwmon/hwmon{number}"
    there.mkdir(parents=True)
    for file, text in {"name": name, **files}.items():
        (there / file).write_text(text + "\n")


def test_the_temperature_is_the_processors_and_the_highest_of_its_sensors(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "nvme", {"temp1_input": "71850"})
    hwmon(tmp_path, 1, "coretemp", {"temp1_input": "48000", "temp2_input": "52312", "temp3_input": "-274000"})

    assert machine.MachineSense(tmp_path).temperature_c() == 52.312
    assert machine.MachineSense(tmp_path / "nothing").temperature_c() is None


def test_undervoltage_is_remembered_and_unknown_where_nothing_tells(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "rpi_volt", {"in0_lcrit_alarm": "0"})
    sense = machine.MachineSense(tmp_path)
    alarm = tmp_path / "sys/class/hwmon/hwmon0/in0_lcrit_alarm"

    told = [sense.undervoltage()]
    alarm.write_text("1\n")
    told.append(sense.undervoltage())
    alarm.write_text("0\n")
    told.append(sense.undervoltage())

    assert told == [False, True, True]
    assert machine.MachineSense(tmp_path / "nothing").undervoltage() is None


@pytest.mark.parametrize(
    ("files", "kind"), [(["type"], "wired"), (["type", "wireless"], "wireless"), ([], "unknown")]
)
def test_the_kind_of_line_is_that_of_the_default_route(tmp_path: Path, files: list[str], kind: str) -> None:
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/route").write_text(ROUTES)
    there = tmp_path / "sys/class/net/eth0"
    there.mkdir(parents=True)
    for file in files:
        (there / file).write_text("1\n")

    assert machine.default_interface(ROUTES) == "eth0"
    assert machine.MachineSense(tmp_path).network_kind() == kind


def test_a_touchscreen_is_direct_and_multitouch_which_a_touchpad_is_not() -> None:
    assert touch.touchscreens(INPUTS) == ["event2"]


def test_a_touchscreen_that_was_there_and_is_not_any_more_is_a_fault(tmp_path: Path) -> None:
    listing = tmp_path / "proc/bus/input/devices"
    listing.parent.mkdir(parents=True)
    listing.write_text(INPUTS.split("\n\n")[1])
    sense = touch.TouchSense(tmp_path / "has-touch", tmp_path)

    assert sense.look() is None

    listing.write_text(INPUTS)
    assert sense.look() is False  # it is listed, and its node does not answer
    listing.write_text("")
    assert touch.TouchSense(tmp_path / "has-touch", tmp_path).look() is False


@pytest.mark.parametrize(
    ("alerts", "state"),
    [
        ("none", "ok"),
        ("media-low-warning", "paper-low"),
        ("media-empty-error media-low-report", "paper-out"),
        ("cover-open-error media-empty-error", "cover-open"),
        ("offline-report", "offline"),
        ("media-jam-error", "failed"),
    ],
)
def test_cups_tells_the_gravest_of_a_printers_troubles(alerts: str, state: str) -> None:
    assert printer.cups_state(LPSTAT.format(alerts=alerts)) == state


def test_a_disabled_queue_has_failed_and_an_unknown_one_is_none() -> None:
    assert (
        printer.cups_state("printer slip disabled since Fri -\n\treason unknown\n\tAlerts: none\n")
        == "failed"
    )
    assert printer.cups_state('lpstat: Invalid destination name in list "slip".') is None
    assert printer.default_queue("system default destination: slip\n") == "slip"
    assert printer.default_queue("no system default destination\n") == ""


@pytest.mark.parametrize(
    ("status", "state"), [(0x18, "ok"), (0x38, "paper-out"), (0x08, "offline"), (0x10, "failed")]
)
def test_a_usb_printer_tells_its_state_by_three_lines(status: int, state: str) -> None:
    assert printer.port_state(status) == state


def test_outputs_of_a_compositor_are_on_or_off() -> None:
    assert screen.wayland_outputs(RANDR.format(one="yes")) == {"HDMI-A-1": True, "HDMI-A-2": False}


def test_x_tells_of_the_monitor_only_with_dpms() -> None:
    assert screen.x_monitor_on("DPMS:\n  DPMS is Enabled\n  Monitor is On\n") is True
    assert screen.x_monitor_on("DPMS:\n  DPMS is Enabled\n  Monitor is in Standby\n") is False
    assert screen.x_monitor_on("DPMS:\n  DPMS is Disabled\n") is None


def test_the_backlight_is_turned_where_there_is_no_compositor(tmp_path: Path) -> None:
    power = tmp_path / "sys/class/backlight/panel/bl_power"
    power.parent.mkdir(parents=True)
    power.write_text("0\n")
    sense = screen.ScreenSense(
        Programs({"XDG_RUNTIME_DIR": "", "WAYLAND_DISPLAY": "", "DISPLAY": ""}), tmp_path
    )

    assert asyncio.run(sense.is_on()) is True
    assert asyncio.run(sense.turn(False)) == ""
    assert asyncio.run(sense.is_on()) is False
    assert asyncio.run(
        screen.ScreenSense(
            Programs({"XDG_RUNTIME_DIR": "", "WAYLAND_DISPLAY": "", "DISPLAY": ""}), power
        ).turn(True)
    ) == ("no-screen-control")


def test_a_tone_has_its_level_and_an_offset_is_no_sound() -> None:
    tone = array("h", [round(16_384 * math.sin(i / 5)) for i in range(16_000)]).tobytes()

    assert sound.level(tone) == pytest.approx(0.5 / math.sqrt(2), rel=0.01)
    assert sound.level(array("h", [900] * 1000).tobytes()) == 0.0
    assert sound.level(b"\0") is None


def test_without_a_microphone_or_a_mixer_it_is_said_so(tmp_path: Path) -> None:
    sense = sound.SoundSense(Programs({"PATH": str(tmp_path)}), tmp_path)

    assert asyncio.run(sense.microphone_share()) is None
    assert asyncio.run(sense.set_volume(0.5)) == "no-mixer"


def program(folder: Path, name: str, script: str) -> Programs:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return Programs({"PATH": f"{folder}:/bin:/usr/bin"})


def test_the_mixer_is_asked_for_the_share_in_percent(tmp_path: Path) -> None:
    programs = program(tmp_path, "wpctl", f'echo "$@" > {tmp_path}/asked')

    assert asyncio.run(sound.SoundSense(programs, tmp_path).set_volume(0.35)) == ""
    assert (tmp_path / "asked").read_text() == "set-volume @DEFAULT_AUDIO_SINK@ 35%\n"


def test_a_program_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    programs = program(tmp_path, "slow", f"echo $$ > {tmp_path}/pid; exec sleep 60")

    async def scenario() -> int:
        # the limit is met only when the program has begun, however busy the machine
        ran = asyncio.ensure_future(programs.run(["slow"], 1.0))
        return (await ran).code

    assert asyncio.run(scenario()) == TOO_SLOW
    if (tmp_path / "pid").exists():
        assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_a_budget_is_spent_and_comes_back_with_time() -> None:
    budget = Budget(2, 60.0)

    assert [budget.take(0.0), budget.take(10.0), budget.take(20.0)] == [True, True, False]
    assert budget.wait_s(20.0) == 40.0
    assert budget.take(60.0)
    assert not budget.take(69.0)
    budget.refill()
    assert budget.take(69.0)


def listening(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    one = socket.socket(socket.AF_UNIX)
    one.bind(str(path))
    one.listen()
    return one


def test_a_window_is_opened_where_a_display_is_alive() -> None:
    with tempfile.TemporaryDirectory() as folder:  # a socket's path may not be long
        root = Path(folder)
        wayland = {"XDG_RUNTIME_DIR": "/run/kiosk"}

        assert display(wayland, root) is None
        assert display({"DISPLAY": ":3"}, root) == {"WAYLAND_DISPLAY": "", "DISPLAY": ":3"}
        with listening(root / "tmp/.X11-unix/X0"):
            assert display(wayland, root) is None  # of whom, nobody knows
            assert display({**wayland, "DIEMCAU_SCREEN": "required"}, root) == {
                "WAYLAND_DISPLAY": "",
                "DISPLAY": ":0",
            }
        (root / "run/kiosk").mkdir(parents=True)
        listening(root / "run/kiosk/wayland-0").close()  # of a compositor that was killed
        with listening(root / "run/kiosk/wayland-1"):
            assert display({**wayland, "WAYLAND_DISPLAY": "wayland-0"}, root) == {
                "WAYLAND_DISPLAY": "wayland-1",
                "DISPLAY": "",
            }


def test_outputs_are_turned_by_the_compositors_own_program() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        asked = root / "asked"
        (root / "randr").write_text(RANDR.format(one="yes"))
        programs = program(root, "wlr-randr", f'echo "$WAYLAND_DISPLAY $@" >> {asked}; cat {root}/randr')
        programs = Programs({**programs.environment, "XDG_RUNTIME_DIR": folder, "WAYLAND_DISPLAY": ""})

        with listening(root / "wayland-1"):
            assert asyncio.run(screen.ScreenSense(programs).is_on()) is True
            assert asyncio.run(screen.ScreenSense(programs).turn(False)) == ""

        assert asked.read_text().split("\n")[-3:-1] == [
            "wayland-1 --output HDMI-A-1 --off",
            "wayland-1 --output HDMI-A-2 --off",
        ]


def test_out_of_service_outlives_a_restart_and_what_a_full_disk_refuses_stays_as_it_was(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "body"
    folder.mkdir()
    kept = ServiceState(folder / "service.json")
    kept.write("bảo trì")
    assert ServiceState(folder / "service.json").read() == "bảo trì"

    (folder / "service.new").mkdir()  # no file can be written there
    with pytest.raises(NotKept):
        kept.write(None)

    assert kept.read() == "bảo trì"
    (folder / "service.json").write_bytes(b"\0\0")
    assert kept.read() is None


def test_a_slip_is_black_and_white_fits_the_paper_and_says_it_without_marks() -> None:
    picture = slip.draw(["ĐIỂM CẦU", "Phiếu in thử"])
    data = slip.raster(picture)

    assert slip.plain("Điểm cầu Phường Trúc Bạch") == "Diem cau Phuong Truc Bach"
    assert set(np.unique(picture)) == {0, 255}
    assert data.startswith(
        b"\x1b@\x1dv0\0" + (72).to_bytes(2, "little") + picture.shape[0].to_bytes(2, "little")
    )
    assert len(data) == 10 + 72 * picture.shape[0] + 7


def test_a_slip_goes_to_the_queue_and_a_printer_that_is_not_there_is_said(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    (tmp_path / "lp").write_text(f'#!/bin/sh\necho "$@" > {asked}; cat > {asked}.png\n')
    (tmp_path / "lp").chmod(0o755)
    programs = program(tmp_path, "lpstat", 'echo "system default destination: slip"')
    picture = slip.draw(["thử"])

    assert asyncio.run(printer.PrinterSense(programs).print_slip(picture)) == ""
    assert asked.read_text() == "-d slip -o fit-to-page -t test\n"
    assert (tmp_path / "asked.png").read_bytes() == slip.png(picture)
    nothing = printer.PrinterSense(Programs({"PATH": "/nowhere"}), tmp_path / "lp0")
    assert asyncio.run(nothing.print_slip(picture)) == "no-printer"
    assert asyncio.run(nothing.look()) is None
    port = tmp_path / "port"
    port.touch()
    assert asyncio.run(printer.PrinterSense(Programs({"PATH": "/nowhere"}), port).print_slip(picture)) == ""
    assert port.read_bytes() == slip.raster(picture)
