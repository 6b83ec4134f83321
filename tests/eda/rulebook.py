# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running ansible-rulebook, and a client that sends hooks to it."""

from __future__ import annotations

import contextlib
import json
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time
import typing as t
import urllib.error
import urllib.request

import yaml

from tests.packaging.support import PYTHON, environment, tool

from .support import SIGNING, Record, encoded, signed

INVENTORY = """\
all:
  hosts:
    localhost:
      ansible_connection: local
      ansible_python_interpreter: "{{ ansible_playbook_python }}"
"""
LISTENING = re.compile(r"waiting for GitLab's hooks on (\S+)")
# Enough for a cold start of the Java virtual machine on a busy computer.
PATIENCE_SECONDS = 1800.0


class Rulebook:
    """A process of ansible-rulebook and its output so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.output = ""
        self._is_read = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, pattern: str, times: int = 1) -> re.Match[str]:
        """Wait until a pattern occurs in the output this number of times, and return that match."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = list(re.finditer(pattern, self.output))
            if len(found) >= times:
                return found[times - 1]
            more = self._next(deadline - time.monotonic())
            assert more, f"there is no {pattern!r} in:\n{self.output}"

    def _next(self, seconds: float) -> bool:
        """Read a line and return whether there was one."""
        try:
            line = None if self._is_read else self._lines.get(timeout=max(0.1, seconds))
        except queue.Empty:
            return False
        self._is_read = line is None
        self.output += line or ""
        return line is not None

    def end(self) -> int:
        """Wait for the end, read the rest of the output, and return the exit status."""
        status = self._process.wait(PATIENCE_SECONDS)
        while self._next(PATIENCE_SECONDS):
            pass
        return status

    def stop(self) -> None:
        """Stop the process with SIGINT, as a user does."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self.end()
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise


@contextlib.contextmanager
def rulebook(
    folder: pathlib.Path,
    name: str | list[Record],
    variables: Record,
    *options: str,
    collections: pathlib.Path | None,
    gitlab: str = "",
) -> t.Iterator[Rulebook]:
    """Run ansible-rulebook.

    :param name: name of a rulebook of the collection, or the rulebook itself.
    :param collections: the folder that contains the collection; None for the site-packages of Python.
    :param gitlab: URL of the server for the tasks of the playbooks.
    """
    if not isinstance(name, str):
        (folder / "rulebook.yml").write_text(yaml.safe_dump(name), encoding="utf-8")
        name = str(folder / "rulebook.yml")
    (folder / "vars.yml").write_text(yaml.safe_dump({"gitlab_hook_port": 0, **variables}), encoding="utf-8")
    (folder / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
    env = environment(
        folder / "home",
        url=gitlab,
        ANSIBLE_COLLECTIONS_PATH=str(collections or folder / "nothing"),
        GITLAB_SIGNING_TOKEN=SIGNING,
        PYTHONUNBUFFERED="1",
    )
    files = ("-i", "inventory.yml", "-e", "vars.yml", "-E", "GITLAB_SIGNING_TOKEN")
    process = subprocess.Popen(
        [PYTHON.with_name("ansible-rulebook"), "-r", name, *files, *(options or ("-v",))],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    running = Rulebook(process)
    try:
        yield running
    finally:
        running.stop()


def send(url: str, payload: Record, delivery: str, *, signing_token: str = SIGNING, **headers: str) -> int:
    """Sign a delivery with the current time, send it, and return the status of the response."""
    body = encoded(payload)
    request = urllib.request.Request(
        url, data=body, headers=dict(signed(body, delivery, at=time.time(), signing_token=signing_token, **headers))
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def install(folder: pathlib.Path, kind: str, root: pathlib.Path) -> pathlib.Path | None:
    """Install the collection in this way and return its collections folder."""
    if kind == "pip":
        # already installed in the environment of these tests, see the session eda
        return None
    if kind == "checkout":
        return root / ".cache" / "collections"
    env = environment(folder / "home", ANSIBLE_COLLECTIONS_PATH=str(folder / "installed"))
    galaxy = [str(tool("ansible-galaxy")), "collection"]
    subprocess.run([*galaxy, "build", "--output-path", str(folder), str(root)], env=env, check=True, cwd=folder)
    tarball = next(folder.glob("jobgate-gitlab-*.tar.gz"))
    command = [*galaxy, "install", "--offline", "-p", str(folder / "installed"), str(tarball)]
    subprocess.run(command, env=env, check=True, cwd=folder)
    return folder / "installed"


def records(folder: pathlib.Path) -> list[Record]:
    """Return the release records in a folder."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
