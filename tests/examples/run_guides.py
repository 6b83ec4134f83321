# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a playbook of a guide as its readers would: in check mode, for real, and for real again."""

from __future__ import annotations

import json
import pathlib
import re
import threading

from tests.integration.harness import Play, play

from .blocks import playbook
from .guides import Guide
from .server import SECRETS, Server, install_extensions


def run_guide(guide: Guide, server: Server, folder: pathlib.Path, *, with_check_mode: bool = True) -> None:
    """Run a playbook of a guide, and compare the results with its row.

    :param with_check_mode: whether to run it in check mode first, if the guide supports that.
    :raises AssertionError: if the results differ.
    """
    path = folder / "playbook.yml"
    text = playbook(guide.name, guide.title)
    for shown, real in guide.replaced.items():
        assert shown in text, f"{guide.title}: {shown} is not in the playbook"
        text = text.replace(shown, real.replace("FOLDER", str(folder)))
    path.write_text(text, encoding="utf-8")
    server.load(guide.world)
    is_checked = with_check_mode and guide.has_check_mode
    runner = _Runner(guide, server, folder, path)
    if is_checked:
        changes = guide.changes if guide.changes_checked is None else guide.changes_checked
        runner.run("--check", changes=changes)
        assert server.effects() == [], "check mode has changed something"
    first = runner.run_with_faults_and_approval()
    # ansible-core 2.18 and older wrap warnings
    joined_output = " ".join(first.output.split())
    for words in guide.output:
        assert " ".join(words.split()) in joined_output, f"{words!r} is not in: {first.output}"
    assert sorted(server.effects()) == sorted(guide.effects)
    assert [name for name in guide.files if not (folder / name).is_file()] == []
    runner.run(changes=guide.changes_again)
    assert sorted(server.effects()) == sorted((*guide.effects, *guide.again))


class _Runner:
    def __init__(self, guide: Guide, server: Server, folder: pathlib.Path, path: pathlib.Path) -> None:
        self._guide, self._server, self._folder, self._path = guide, server, folder, path
        # only the guide to extensions needs PYTHONPATH, and readers of other guides do not set it
        site = str(install_extensions(folder / "site")) if guide.name == "extending" else ""
        self._environment = {**guide.environment, **({"PYTHONPATH": site} if site else {})}

    def run(self, *options: str, changes: int) -> Play:
        variables = ["--extra-vars", json.dumps(dict(self._guide.extra_vars))] if self._guide.extra_vars else []
        done = play(
            self._path,
            self._folder,
            *options,
            *variables,
            url=self._server.url,
            token=self._guide.token,
            secrets=() if self._guide.shows_token else (*SECRETS, self._guide.token),
            environment=self._environment,
        )
        assert done.returncode == 0, done.output
        counted = re.search(r"changed=(\d+)", done.output)
        assert counted and int(counted[1]) == changes, f"{changes} changes expected: {done.output}"
        return done

    def run_with_faults_and_approval(self) -> Play:
        for fault in self._guide.faults:
            self._server.inject(**fault)
        done = threading.Event()
        thread = threading.Thread(target=self._approve, args=(done,))
        thread.start()
        try:
            return self.run(changes=self._guide.changes)
        finally:
            done.set()
            thread.join()
            self._server.clear_faults()

    def _approve(self, done: threading.Event) -> None:
        """Approve the job after the playbook has read its deployment."""
        while self._guide.approve and not done.wait(0.1):
            if self._server.has_served("get_deployment"):
                self._server.act(self._guide.approve, "approve")
                return
