"""Write ``docs/licences.md``: whose work this project stands on, and under what terms.

``--check`` only says whether the page is fresh. Python's licences are read from the installed packages,
the pages' from ``web/node_modules``.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from python_env import PYTHON
from steps import ROOT

PAGE = ROOT / "docs" / "licences.md"
HEAD = """# Licences of others

Điểm Cầu is Apache-2.0. It uses these packages, as their authors publish them; none is copied into this
repository. Data and recordings in this repository carry their notices beside them.
Written by `.venv/bin/python tools/licences.py`.
"""
SPDX = {
    "MIT License": "MIT",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "Apache-2.0 license": "Apache-2.0",
}
ASK = """
import importlib.metadata as m, json, sys
def terms(name):
    meta = m.metadata(name)
    classified = [c.split(' :: ')[-1] for c in meta.get_all('Classifier', []) if c.startswith('License ::')]
    short = (meta.get('License') or '').strip()
    return meta.get('License-Expression') or (short if short and len(short) < 60 else ', '.join(classified))
print(json.dumps({name: terms(name) for name in sys.argv[1:]}))
"""


def main() -> int:
    """0 when the page is (now) fresh."""
    page = "\n".join(_page()) + "\n"
    if "--check" in sys.argv[1:]:
        fresh = PAGE.is_file() and PAGE.read_text() == page
        if not fresh:
            print("docs/licences.md is stale; run: .venv/bin/python tools/licences.py")
        return 0 if fresh else 1
    PAGE.write_text(page)
    return 0


def _page() -> Iterator[str]:
    yield HEAD
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    yield from _table("Running", _python(project["dependencies"]))
    yield from _table("Checking and testing", _python(project["optional-dependencies"]["dev"]))
    package = json.loads((ROOT / "web" / "package.json").read_text())
    yield from _table("In the pages", _node(package.get("dependencies", {})))
    yield from _table("Building the pages", _node(package.get("devDependencies", {})))
    yield from _table("Others' clients, tried against", _locked(ROOT / "tests" / "interop" / "npm"))


def _table(title: str, rows: dict[str, str]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| Package | Licence |\n|---|---|"
    for name in sorted(rows, key=str.lower):
        yield f"| {name} | {rows[name]} |"
    yield ""


def _python(requirements: list[str]) -> dict[str, str]:
    names = [re.split(r"[^\w.-]", requirement)[0] for requirement in requirements]
    told = subprocess.run([PYTHON, "-c", ASK, *names], capture_output=True, text=True, check=True).stdout
    return {name: SPDX.get(terms, terms) or "see package" for name, terms in json.loads(told).items()}


def _node(names: dict[str, str]) -> dict[str, str]:
    modules: Path = ROOT / "web" / "node_modules"
    return {
        name: json.loads((modules / name / "package.json").read_text()).get("license", "see package")
        for name in names
    }


def _locked(folder: Path) -> dict[str, str]:
    """As the lock file says: these packages may not be installed here."""
    known = json.loads((folder / "package-lock.json").read_text())["packages"]
    wanted = known[""]["dependencies"]
    return {name: known[f"node_modules/{name}"].get("license", "see package") for name in wanted}


if __name__ == "__main__":
    sys.exit(main())
