# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test that a download returns the same on both faces, with and without check mode, whatever its path holds."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from tests.unit.faces import TASKS, as_module, in_process
from tests.unit.harness import TOKEN

from .server import ARTIFACT, HostileServer


def create_nothing(path: pathlib.Path) -> None:
    """Create nothing."""


def file_with(content: bytes) -> t.Callable[[pathlib.Path], t.Any]:
    return lambda path: path.write_bytes(content)


def link_to(content: bytes | None) -> t.Callable[[pathlib.Path], None]:
    """Create a link, which is broken if there is no content."""

    def make(path: pathlib.Path) -> None:
        if content is not None:
            path.with_name("other").write_bytes(content)
        os.symlink(path.with_name("other"), path)

    return make


PLACES = {
    "nothing": create_nothing,
    "another content": file_with(b"old"),
    "the same content": file_with(ARTIFACT),
    "a link": link_to(b"old"),
    "a link to the same content": link_to(ARTIFACT),
    "a link that leads nowhere": link_to(None),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("is_check", [True, False])
def test_download_returns_the_same_in_process_and_as_a_module(
    tmp_path: pathlib.Path, place: str, is_check: bool
) -> None:
    results = []
    for face in (in_process, as_module):
        folder = tmp_path / face.__name__
        folder.mkdir()
        PLACES[place](folder / "dest")
        with HostileServer() as server:
            given: dict[str, t.Any] = {"api_url": server.url, "api_token": TOKEN, "project": "7", "job_id": 41}
            given |= {"content": "archive", "dest": str(folder / "dest"), "_ansible_check_mode": is_check}
            result = face(TASKS["gitlab_job_download"], given)
        assert not result.get("failed"), result["msg"]
        names = ("changed", "size", "sha256", "checksum", "mode", "owner", "group", "uid", "gid", "state", "diff")
        results.append({name: str(result.get(name)).replace(str(folder), "FOLDER") for name in names})
    assert results[0] == results[1] and results[0]["size"] == str(len(ARTIFACT))
