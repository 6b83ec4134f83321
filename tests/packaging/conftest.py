# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages as users get them, built once for all tests."""

from __future__ import annotations

import pathlib
import tarfile

import pytest

from .support import GALAXY, ROOT, WHEEL_COMMAND, environment, run, tool


@pytest.fixture(scope="session", name="packages")
def packages_fixture(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Return a folder for the packages, which also contains a home folder."""
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="session")
def tarball(packages: pathlib.Path) -> pathlib.Path:
    """Build the tarball with `ansible-galaxy collection build`, and return its path."""
    command = [tool("ansible-galaxy"), "collection", "build", "--output-path", packages, ROOT]
    run(*command, cwd=packages, env=environment(packages / "home"))
    return packages / f"{GALAXY['namespace']}-{GALAXY['name']}-{GALAXY['version']}.tar.gz"


@pytest.fixture(scope="session")
def wheel(packages: pathlib.Path) -> pathlib.Path:
    """Build the wheel, and return its path."""
    run(*WHEEL_COMMAND, packages, ROOT, cwd=packages, env=environment(packages / "home"))
    return packages / f"{GALAXY['namespace']}_{GALAXY['name']}-{GALAXY['version']}-py3-none-any.whl"


@pytest.fixture(scope="session")
def installed(packages: pathlib.Path, tarball: pathlib.Path) -> pathlib.Path:
    """Install the tarball into an empty folder with `ansible-galaxy`, and return the folder."""
    folder = packages / "collections"
    command = [tool("ansible-galaxy"), "collection", "install", "--offline", "-p", folder, tarball]
    run(*command, cwd=packages, env=environment(packages / "home", ANSIBLE_COLLECTIONS_PATH=str(folder)))
    return folder


@pytest.fixture(scope="session")
def tarball_names(tarball: pathlib.Path) -> set[str]:
    """Return the paths of the files in the tarball."""
    with tarfile.open(tarball) as opened:
        return {member.name for member in opened.getmembers() if member.isfile()}
