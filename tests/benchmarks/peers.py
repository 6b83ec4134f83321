# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The peers that are not among the project's tools: two collections and a library that one of them needs."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

from .measure import ROOT, CaseError

COLLECTIONS = ROOT / ".cache" / "bench" / "collections"
# hvac, which community.hashi_vault needs
LIBRARIES = ROOT / ".cache" / "bench" / "libraries"

_NAMES = ("community.general", "community.hashi_vault")
_REQUIREMENTS = ROOT / "requirements-bench.txt"


def fetch() -> None:
    """Fetch the peers unless they are present. Only their collections are kept from the package ansible.

    :raises CaseError: if they cannot be fetched.
    """
    if are_here():
        return
    COLLECTIONS.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=COLLECTIONS.parent) as name:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        options = ["--only-binary", ":all:", "--dest", name, "--requirement", str(_REQUIREMENTS)]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise CaseError("the packages of requirements-bench.txt cannot be fetched")
        unpacked = pathlib.Path(name, "unpacked")
        for wheel in pathlib.Path(name).glob("*.whl"):
            is_ansible = wheel.name.startswith("ansible-")
            _unpack(wheel, unpacked / ("collections" if is_ansible else "libraries"), only_peers=is_ansible)
        for target in (COLLECTIONS, LIBRARIES):
            shutil.rmtree(target, ignore_errors=True)
            shutil.move(unpacked / target.name, target)


def are_here() -> bool:
    """Return whether the peers have been fetched."""
    return LIBRARIES.is_dir() and all(_manifest(name).exists() for name in _NAMES)


def versions() -> list[str]:
    """Return the name and version of each peer that is present."""
    here = [name for name in _NAMES if _manifest(name).exists()]
    return [f"{name} {json.loads(_manifest(name).read_bytes())['collection_info']['version']}" for name in here]


def _manifest(name: str) -> pathlib.Path:
    return COLLECTIONS / _place(name) / "MANIFEST.json"


def _place(name: str) -> str:
    return f"ansible_collections/{name.replace('.', '/')}"


def _unpack(path: pathlib.Path, target: pathlib.Path, *, only_peers: bool) -> None:
    starts = tuple(f"{_place(name)}/" for name in _NAMES) if only_peers else ("",)
    with zipfile.ZipFile(path) as wheel:
        wheel.extractall(target, [one for one in wheel.namelist() if one.startswith(starts)])
