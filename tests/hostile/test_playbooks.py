# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test some hostile responses with ansible-playbook, in its own process and with modules."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from tests.integration.harness import play
from tests.unit.harness import TOKEN

from .plugins import PLUGINS, Plugin
from .run import ROWS
from .server import HostileServer
from .test_table import IS_WHOLE

RUN_MODES = ("in_process", "module")
ROW_NAMES = (
    "451 with codes",
    "an error with the token split",
    "a bomb of gzip",
    "101 headers",
    "100,000 brackets that are closed",
    "a reset",
    "Link in a circle",
    "to 'http://127.0.0.1:1/x'",
)
# every row in every way, or only the first rows in one way each
CASES = (
    [(row, run_mode) for row in ROW_NAMES for run_mode in RUN_MODES]
    if IS_WHOLE
    else list(zip(ROW_NAMES, RUN_MODES * 2))
)


def task_of(name: str, plugin: Plugin, folder: str) -> dict[str, t.Any]:
    """Return a task of a playbook that continues whatever the result is."""
    options = {**plugin.all_options("", folder), "api_timeout": 5.0, "api_retries": 0}
    # set in the environment, because Ansible shows lines of the playbook next to an error
    for given in ("api_url", plugin.token):
        del options[given]
    if plugin.task:
        return {"name": name, f"jobgate.gitlab.{plugin.task}": options, "ignore_errors": True}
    terms = ", ".join([*map(repr, options.pop("terms")), *(f"{key}={value!r}" for key, value in options.items())])
    expression = f"{{{{ lookup('jobgate.gitlab.gitlab_job', {terms}) }}}}"
    return {"name": name, "ansible.builtin.debug": {"msg": expression}, "ignore_errors": True}


@pytest.mark.parametrize(("row", "run_mode"), CASES)
def test_playbook_reports_hostile_answers_in_one_line(
    row: str, run_mode: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBGATE_TEST_RUN_MODE", run_mode)
    plugins = {name: plugin for name, plugin in PLUGINS.items() if "waiting" not in name}
    tasks = [task_of(name, plugin, str(tmp_path)) for name, plugin in plugins.items()]
    with HostileServer(ROWS[row].respond) as server:
        environment = {"CI_JOB_TOKEN": TOKEN}
        done = play(tasks, tmp_path, "-vvvv", url=server.url, token=TOKEN, secrets=(TOKEN,), environment=environment)
    assert set(done.results) == set(plugins), done.output
    if ROWS[row].end == "sentence":
        assert f"ignored={len(plugins)} " in done.output
    for name, result in done.results.items():
        text = str(result.get("msg", ""))
        assert "nexpected" not in text and "MODULE FAILURE" not in text, text
        assert not plugins[name].task or "\n" not in text
    assert "Traceback (most recent call last)" not in done.output
    for code in ("\x9b", "\x1b[2J", "\u202e", "\x07"):
        assert code not in done.output
