"""Debian's libsrtp, built from Debian's own source with OpenSSL instead of NSS.

The packaged one protects a packet in some 11 µs, this one in about 1: whoever runs Janus in earnest has built
it. Kept in a cache folder outside the tree, and used through ``LD_LIBRARY_PATH``. ``python -m
benchmarks.libsrtp`` builds it, or says why not.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "diemcau" / "libsrtp-openssl"
LIBRARY: Final = "libsrtp2.so.1"
APT: Final = Path("/etc/apt")
LIMIT_S: Final = 300.0


class NotBuilt(Exception):
    """It cannot be had here; the text says why."""


def folder() -> Path:
    """Where the library is, built if it is not yet. Raises :class:`NotBuilt`."""
    if not (CACHE / LIBRARY).exists():
        try:
            _build(CACHE)
        except (OSError, subprocess.SubprocessError, StopIteration) as error:
            raise NotBuilt(f"libsrtp could not be built with OpenSSL: {_reason(error)}") from error
    return CACHE


def source_lists(apt: Path) -> tuple[str, str]:
    """What this machine's package lists say of sources: one-line and stanza form.

    The same places packages come from, asked for sources; the distribution's own only, since other lists may
    have none.
    """
    lines, stanzas = [], []
    for file in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if not file.is_file():
            continue
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".sources":
            for stanza in re.split(r"\n\s*\n", text):
                if "debian-archive-keyring" in stanza:
                    stanzas.append(re.sub(r"(?m)^Types:.*$", "Types: deb-src", stanza.strip()))
        elif "debian" in text:
            lines += re.findall(r"(?m)^deb (.*)$", text)
    return "".join(f"deb-src {line}\n" for line in lines), "\n\n".join(stanzas) + "\n"


def _build(into: Path) -> None:
    work = into / "work"
    for name in ("lists/partial", "archives/partial", "parts"):
        (work / name).mkdir(parents=True, exist_ok=True)
    old_style, new_style = source_lists(APT)
    (work / "parts" / "sources.list").write_text(old_style, encoding="utf-8")
    (work / "parts" / "debian.sources").write_text(new_style, encoding="utf-8")
    apt = [
        "apt-get",
        *("-o", f"Dir::Etc::sourcelist={work / 'parts' / 'sources.list'}"),
        *("-o", f"Dir::Etc::sourceparts={work / 'parts'}"),
        *("-o", f"Dir::State::lists={work / 'lists'}"),
        *("-o", f"Dir::Cache={work}"),
    ]
    _do([*apt, "update"], work)
    _do([*apt, "source", "libsrtp2"], work)
    source = next(place for place in work.glob("libsrtp2-*") if place.is_dir())
    flags = "-O3 -fexpensive-optimizations -funroll-loops"  # as Debian's own rules have them
    _do(["./configure", "--enable-openssl", "--disable-debug", f"CFLAGS=-fPIC {flags}"], source)
    _do(["make", "shared_library"], source)
    (source / LIBRARY).rename(into / LIBRARY)


def _do(words: list[str], where: Path) -> None:
    subprocess.run(
        words,
        cwd=where,
        check=True,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        stdin=subprocess.DEVNULL,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        said = (error.stderr or error.stdout or "").strip().splitlines()
        return f"{error.cmd[0]}: {said[-1] if said else error.returncode}"
    return str(error) or type(error).__name__


if __name__ == "__main__":
    try:
        print(folder())
    except NotBuilt as problem:
        sys.exit(str(problem))
