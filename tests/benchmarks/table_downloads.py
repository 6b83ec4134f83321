# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloading a log of 1 GiB to a file: rows 5a to 5e."""

from __future__ import annotations

import functools
import hashlib
import os
import pathlib
import shlex
import tempfile
import typing as t

from .measure import TOKEN, Run, expect, run, script
from .plays import HEADERS, PROJECT, Task, play
from .server import Server
from .suite import Bench, Case, Row, Table, Values, figures
from .world import API, ARCHIVED_PATH, LARGE_JOB, SMALL_JOB

_MEBIBYTE = 1024 * 1024

_CURL, _CURL_SUM = "curl -o", "curl -o, and sha256sum"
_TASK, _SMALL = "download", "download, 1 MiB"
_PEER, _PEER_LARGE = "python-gitlab, default", "python-gitlab, 1 MiB chunks"
_GET_URL, _PLAYBOOK = "get_url, playbook", "download, playbook"

Way = t.Callable[..., Run]


def _address(base: str, what: str = "trace") -> str:
    return f"{base}{API}/projects/{PROJECT}/jobs/{LARGE_JOB}/{what}"


@functools.lru_cache(maxsize=1)
def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _into_file(way: Way, mebibytes: int = 0, **options: t.Any) -> t.Callable[[Bench], Values]:
    """Return a case that creates, measures and removes a file.

    :param mebibytes: size of the file; 0 for the size of the large log.
    :param options: options of `way`.
    """

    def work(bench: Bench) -> Values:
        bench.server.forget()
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            dest = pathlib.Path(name, "dest")
            size = (mebibytes or bench.server.mebibytes) * _MEBIBYTE
            _hold_memory(dest, size)
            done = way(bench.server, str(dest), **options)
            expect("bytes", os.path.getsize(dest), size)
            wanted = _digest(bench.server.large_file)
            if bench.scale < 1 and not mebibytes:
                expect("digest of the file", hashlib.sha256(dest.read_bytes()).hexdigest(), wanted)
            if done.output.startswith("{") and "sha256" in done.reported and not mebibytes:
                expect("reported digest", done.reported["sha256"], wanted)
            return figures(done)

    return work


def _hold_memory(path: pathlib.Path, size: int) -> None:
    """Write and remove a file, so that each case finds the same amount of memory for files.

    A virtual machine returns unused memory to its host, and getting a GiB back takes up to a second.
    """
    with path.open("wb") as file:
        for _mebibyte in range(size // _MEBIBYTE):
            file.write(bytes(_MEBIBYTE))
    path.unlink()


def _curl(server: Server, dest: str, what: str = "trace") -> Run:
    return run(["curl", "-sSf", "-H", f"PRIVATE-TOKEN: {TOKEN}", "-o", dest, _address(server.http, what)])


def _curl_https(server: Server, dest: str) -> Run:
    options = ["-H", f"PRIVATE-TOKEN: {TOKEN}", "--cacert", server.ca_file]
    return run(["curl", "-sSf", *options, "-o", dest, _address(server.https)])


def _curl_sum(server: Server, dest: str) -> Run:
    words = ["curl", "-sSf", "-H", f"PRIVATE-TOKEN: {TOKEN}", "-o", dest, _address(server.http)]
    return run(["sh", "-c", f"{shlex.join(words)} && sha256sum {shlex.quote(dest)}"])


def _download(server: Server, dest: str, **options: t.Any) -> Run:
    usual = {"api_url": server.http, "api_token": TOKEN, "project": "group/app", "job_id": LARGE_JOB, "content": "log"}
    return script("script_jobgate.py", "gitlab_job_download", {**usual, "dest": dest, **options})


def _download_https(server: Server, dest: str) -> Run:
    return _download(server, dest, api_url=server.https, ca_path=server.ca_file)


def _python_gitlab(server: Server, dest: str, **options: t.Any) -> Run:
    return script("script_python_gitlab.py", server.http, "download", {"job_id": LARGE_JOB, "dest": dest, **options})


def _get_url(server: Server, dest: str) -> Run:
    task = {"ansible.builtin.get_url": {"url": _address(server.http), "headers": HEADERS, "dest": dest}}
    return play([{"name": "download", **task}], url=server.http)


def _playbook(server: Server, dest: str) -> Run:
    chosen = {"project": "group/app", "job_id": LARGE_JOB, "content": "log", "dest": dest}
    task: Task = {"name": "download", "jobgate.gitlab.gitlab_job_download": chosen}
    return play([task], url=server.http)


TABLES = (
    Table(
        "download",
        "A log of 1 GiB into a file",
        (
            Case(_CURL, _into_file(_curl)),
            Case(_CURL_SUM, _into_file(_curl_sum)),
            Case(_TASK, _into_file(_download)),
            Case(_SMALL, _into_file(_download, job_id=SMALL_JOB, mebibytes=1)),
            Case(_PEER, _into_file(_python_gitlab)),
            Case(_PEER_LARGE, _into_file(_python_gitlab, chunk_size=_MEBIBYTE)),
            Case(_GET_URL, _into_file(_get_url)),
            Case(_PLAYBOOK, _into_file(_playbook)),
        ),
        (
            Row("5a", "1 GiB to a file, http, wall", _TASK, _CURL, "wall", 1.3),
            Row("5b", "the same, wall", _TASK, _PEER, "wall", 0.30),
            Row("5c", "the same, wall; both make a sha256", _TASK, _CURL_SUM, "wall", 0.50),
            Row("5e", "peak memory, 1 GiB against 1 MiB", _TASK, _SMALL, "peak_mib", 1.05),
            Row("5i", "CPU", _TASK, _CURL, "cpu"),
            Row("5i", "CPU; both make a sha256", _TASK, _CURL_SUM, "cpu"),
            Row("5i", "wall", _TASK, _PEER_LARGE, "wall"),
            Row("5i", "whole playbook", _PLAYBOOK, _GET_URL, "wall"),
        ),
    ),
    Table(
        "download-artifacts",
        "An archive, and a file of an archive, of 1 GiB",
        (
            Case("curl, archive", _into_file(_curl, what="artifacts")),
            Case("download, archive", _into_file(_download, content="archive")),
            Case("curl, file", _into_file(_curl, what=f"artifacts/{ARCHIVED_PATH}")),
            Case("download, file", _into_file(_download, content="file", artifact_path=ARCHIVED_PATH)),
        ),
        (
            Row("5i", "1 GiB archive to a file, http, wall", "download, archive", "curl, archive", "wall"),
            Row("5i", "1 GiB file of an archive, http, wall", "download, file", "curl, file", "wall"),
        ),
    ),
    Table(
        "download-https",
        "The same over https",
        (Case(_CURL, _into_file(_curl_https)), Case(_TASK, _into_file(_download_https))),
        (
            Row("5i", "1 GiB over https, CPU", _TASK, _CURL, "cpu"),
            Row("5i", "https, wall", _TASK, _CURL, "wall"),
        ),
    ),
)
