# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one more task of a play costs: `python -m tests.benchmarks.per_task [--rounds 5]`.

Each case is a play of 31 tasks and one of a single task, run in turn with the others; a task costs the 30th part of the
difference. What counts are the ratios within a round, of which the median is shown.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import tempfile
import time
import typing as t

import ansible.release

import conftest
from tests.integration.harness import TOKEN, playbook_command, world
from tests.simulator.fixture import Simulator

TASKS = 30
READ = {"project": "group/app", "job_id": 1000}

CASES: dict[str, tuple[dict[str, t.Any], dict[str, str]]] = {
    "ansible.builtin.debug": ({"ansible.builtin.debug": {"msg": "hello"}}, {}),
    "ansible.builtin.uri": (
        {
            "ansible.builtin.uri": {
                "url": "{{ lookup('ansible.builtin.env', 'GITLAB_API_URL') }}/api/v4/projects/group%2Fapp/jobs/1000",
                "headers": {"PRIVATE-TOKEN": "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"},
                "return_content": True,
            }
        },
        {},
    ),
    "gitlab_job_info, in Ansible's process": ({"jobgate.gitlab.gitlab_job_info": READ}, {}),
    "gitlab_job_info, as a module": ({"jobgate.gitlab.gitlab_job_info": READ}, {"JOBGATE_IN_PROCESS": "false"}),
}
PEER = "ansible.builtin.uri"


def main() -> None:
    """Measure, and print a table."""
    conftest.link_checkout()  # the import has done so, too, in time for those that follow it
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.per_task", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    costs: dict[str, list[float]] = {name: [] for name in CASES}
    with Simulator(world({"name": "build", "id": 1000, "status": "success"})) as simulator:
        for _round in range(rounds):
            for name, (task, environment) in CASES.items():
                many, one = (_seconds(simulator.url, task, environment, count) for count in (TASKS + 1, 1))
                costs[name].append((many - one) / TASKS)
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, ansible-core {ansible.release.__version__}\n")
    print("| one more task | median ms | ratio to uri |\n| --- | ---: | ---: |")
    for name, seconds in costs.items():
        ratio = statistics.median(own / peer for own, peer in zip(seconds, costs[PEER], strict=True))
        print(f"| {name} | {1000 * statistics.median(seconds):.0f} | {ratio:.3f} |")


def _seconds(url: str, task: dict[str, t.Any], environment: dict[str, str], count: int) -> float:
    """Return how long a play of so many tasks takes."""
    with tempfile.TemporaryDirectory() as folder:
        tasks = [{"name": f"task {number}", **task} for number in range(count)]
        command, variables = playbook_command(
            tasks, pathlib.Path(folder), url=url, token=TOKEN, environment=environment
        )
        started = time.monotonic()
        subprocess.run(
            command, env=variables, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return time.monotonic() - started


if __name__ == "__main__":
    main()
