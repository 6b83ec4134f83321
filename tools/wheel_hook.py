# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add the files of the collection's tarball to the wheel, where ansible-core finds collections in site-packages.

The tarball defines the files that users get. It contains MANIFEST.json, from which Ansible reads the version.
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
    """Build the tarball in this folder with `ansible-galaxy collection build`, and return its path.

    :raises RuntimeError: if the command fails, with its error output.
    """
    # use neither the user's configuration nor the home folder, which may not exist
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
    """Build hook that adds the collection to the files of the wheel."""

    def initialize(self, version: str, build_data: dict[str, t.Any]) -> None:
        """Unpack the tarball into a folder that exists during the build."""
        if version == "editable":
            raise RuntimeError("The collection does not support editable mode. To link a checkout, run `make setup`.")
        self._scratch = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._scratch.name)
        unpacked = folder / "unpacked"
        with tarfile.open(build_tarball(pathlib.Path(self.root), folder)) as tarball:
            # not extractall: without `filter`, Python 3.12 warns, and Python 3.11.3 and older do not support `filter`
            for member in tarball.getmembers():
                content = tarball.extractfile(member)
                if content is not None:  # not a folder
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
