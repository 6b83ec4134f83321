# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put the files of the collection's tarball into the wheel, where ansible-core looks for collections in site-packages.

The tarball is the one list of what users get, and it has the MANIFEST.json from which Ansible learns the version.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import typing as t

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def build_tarball(root: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Return the tarball that `ansible-galaxy collection build` makes in this folder.

    :raises RuntimeError: with what the command says.
    """
    # not the user's configuration, nor his home folder, which may not be there
    (folder / "ansible.cfg").touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {"ANSIBLE_CONFIG": str(folder / "ansible.cfg"), "ANSIBLE_HOME": str(folder), "LC_ALL": "C.UTF-8"}
    command = [
        sys.executable,
        "-m",
        "ansible",
        "galaxy",
        "collection",
        "build",
        "--output-path",
        str(folder),
        str(root),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ansible-galaxy collection build failed: {done.stderr.strip()}")
    return next(folder.glob("*.tar.gz"))


class CollectionHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the collection to the files of the wheel."""

    def initialize(self, version: str, build_data: dict[str, t.Any]) -> None:
        """Unpack the tarball into a folder that lives as long as the build."""
        if version == "editable":
            raise RuntimeError("The collection cannot be installed in editable mode: `make setup` links a checkout.")
        self._scratch = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._scratch.name)
        unpacked = folder / "unpacked"
        with tarfile.open(build_tarball(pathlib.Path(self.root), folder)) as tarball:
            # not extractall: Python 3.12 warns without its argument `filter`, which 3.11.3 and older do not know
            for member in tarball.getmembers():
                content = tarball.extractfile(member)
                if content is not None:  # it is not a folder
                    path = unpacked / member.name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content.read())
                    path.chmod(member.mode)
        info = json.loads((unpacked / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]
        place = f"ansible_collections/{info['namespace']}/{info['name']}"
        for path in sorted(unpacked.rglob("*")):
            if path.is_file():
                build_data["force_include"][str(path)] = f"{place}/{path.relative_to(unpacked).as_posix()}"

    def finalize(self, version: str, build_data: dict[str, t.Any], artifact_path: str) -> None:
        """Remove the folder."""
        self._scratch.cleanup()
