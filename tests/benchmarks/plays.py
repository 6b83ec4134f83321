# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Complete ansible-playbook runs in measured processes."""

from __future__ import annotations

import json
import os
import pathlib
import sys
import tempfile
import typing as t

from .measure import COLLECTIONS, ROOT, TOKEN, Run, clean_environment, run

Task = dict[str, t.Any]

HEADERS = {"PRIVATE-TOKEN": TOKEN}
PROJECT = "group%2Fapp"


def play(
    tasks: t.Sequence[Task],
    *,
    url: str,
    environment: t.Mapping[str, str] | None = None,
    variables: t.Mapping[str, t.Any] | None = None,
    collections: t.Sequence[pathlib.Path] = (),
) -> Run:
    """Run a playbook with these tasks and return its measurements. The output contains no results.

    :param url: address of the GitLab server that the collection's tasks find in the environment.
    :param collections: additional collection folders.
    :raises CaseError: if the playbook fails.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = pathlib.Path(name)
        playbook = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **(variables or {})},
            "tasks": list(tasks),
        }
        (folder / "playbook.yml").write_text(json.dumps([playbook]), encoding="utf-8")
        (folder / "ansible.cfg").touch()
        paths = [str(COLLECTIONS), *map(str, collections)]
        whole = clean_environment(
            ANSIBLE_CONFIG=str(folder / "ansible.cfg"),
            ANSIBLE_COLLECTIONS_PATH=os.pathsep.join(paths),
            ANSIBLE_HOME=str(ROOT / ".cache" / "ansible"),
            ANSIBLE_REMOTE_TEMP=str(folder / "remote"),
            ANSIBLE_NOCOLOR="1",
            GITLAB_TOKEN=TOKEN,
            **{"GITLAB_API_URL": url, **(environment or {})},
        )
        program = pathlib.Path(sys.executable).with_name("ansible-playbook")
        return run([str(program), str(folder / "playbook.yml")], environment=whole)


def named(task: t.Mapping[str, t.Any], count: int) -> list[Task]:
    """Return this number of identical tasks."""
    return [{"name": f"task {number}", **task} for number in range(count)]


def uri(address: str, **options: t.Any) -> Task:
    """Return a task that requests this address."""
    return {"ansible.builtin.uri": {"url": address, "headers": HEADERS, "return_content": True, **options}}


def info(**options: t.Any) -> Task:
    """Return a task that reads jobs."""
    return {"jobgate.gitlab.gitlab_job_info": {"project": "group/app", **options}}
