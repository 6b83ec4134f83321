# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks compare with and is not among the tools of the project: one collection of the package ansible."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

from .measure import ROOT, CaseError

_FOLDER = ROOT / ".cache" / "bench" / "collections"
_COLLECTION = "ansible_collections/community/general/"
_REQUIREMENTS = ROOT / "requirements-bench.txt"


def community_general() -> pathlib.Path:
    """Return a folder with the collection community.general; the package is fetched once, and only that part is kept.

    :raises CaseError: when it cannot be fetched.
    """
    target = _FOLDER / _COLLECTION
    if (target / "MANIFEST.json").exists():
        return _FOLDER
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_FOLDER.parent) as name:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        options = ["--only-binary", ":all:", "--dest", name, "--requirement", str(_REQUIREMENTS)]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        wheels = list(pathlib.Path(name).glob("ansible-*.whl"))
        if done.returncode or not wheels:
            raise CaseError("community.general cannot be fetched")
        unpacked = pathlib.Path(name, "unpacked")
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extractall(unpacked, [one for one in wheel.namelist() if one.startswith(_COLLECTION)])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        shutil.move(unpacked / _COLLECTION, target)
    return _FOLDER


def community_general_version() -> str:
    """Return its version, empty when it is not here."""
    manifest = _FOLDER / _COLLECTION / "MANIFEST.json"
    if not manifest.exists():
        return ""
    return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
