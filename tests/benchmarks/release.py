# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the cost of releasing many projects: `python -m tests.benchmarks.release [--projects 10,100] [--build 60]`.

Each project has a pipeline of two jobs: a running build, and a deploy to play after it. The gate runs in this process
against the simulator with its stepped clock, so the counts are the same on every machine. With `--nudges`, the
simulator sends hooks to an event source, which nudges the gates.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import pathlib
import resource
import statistics
import sys
import tempfile
import time
import typing as t

import conftest
from tests.simulator.fixture import Simulator

Row = dict[str, t.Any]

MINUTE = 60.0
# Rate limits of a server for one token: none, the limits that GitLab.com publishes, and a lower one.
LIMITS: t.Mapping[str, Row] = {
    "none": {},
    "100 a minute": {"throttle_per_minute": 100},
    "1,250 a minute": {"throttle_per_minute": 1250},
    "5,000 an hour": {"throttle_per_hour": 5000},
    "15,000 an hour": {"throttle_per_hour": 15_000},
}
HEADER = (
    "projects | build | limit | first minute | of them waiting | waiting in all | first hour | refused, first minute "
    "| refused, later | deploys | late, median | late, worst | paced | CPU s | MiB"
)


@dataclasses.dataclass(frozen=True)
class Cost:
    """The cost of one release, with times in seconds.

    :param waiting: requests of the first minute, except the first read of each path and the requests that play.
    :param waiting_in_all: the same for the whole release.
    :param late: the time from the end of each build until its deploy was played.
    """

    first_minute: int
    waiting: int
    waiting_in_all: int
    first_hour: int
    refused: int
    refused_later: int
    played: tuple[str, ...]
    late: tuple[float, ...]
    paced_seconds: float
    cpu_seconds: float
    peak_mebibytes: float
    failure: str | None


def scenario(projects: int, build_seconds: float, limits: Row) -> Row:
    """Return a world with this number of projects. Their builds end spread over a tenth of their length."""
    names = [f"group/app-{number:03d}" for number in range(projects)]
    spread = build_seconds * 0.1 / projects
    return {
        "users": [{"username": "alice", "id": 2}],
        "tokens": [{"token": "release-token-0123456789", "user": "alice"}],
        "limits": limits,
        "projects": [{"path": name, "members": {"alice": "maintainer"}} for name in names],
        "pipelines": [
            {
                "id": 1000 + number,
                "project": name,
                "ref": "main",
                "jobs": [
                    {"name": "build", "stage": "build", "duration": build_seconds + number * spread},
                    {
                        "name": "deploy",
                        "stage": "deploy",
                        "when": "manual",
                        "allow_failure": False,
                        "duration": 5,
                        "queue": 1,
                    },
                ],
            }
            for number, name in enumerate(names)
        ],
    }


def measure(projects: int, build_seconds: float, limits: Row, *, is_nudged: bool = False) -> Cost:
    """Return the cost of a release of this number of projects."""
    # import these only after the checkout is importable as a collection
    from tests.contract.nudging import nudged
    from tests.contract.test_release_gates import release

    with contextlib.ExitStack() as stack:
        simulator = stack.enter_context(Simulator(scenario(projects, build_seconds, limits)))
        options = {}
        if is_nudged:
            nudges = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())) / "nudges"
            stack.enter_context(nudged(simulator, nudges))
            options = {"nudges": str(nudges)}
        plan = [
            {
                "name": f"app-{number:03d}",
                "project": f"group/app-{number:03d}",
                "gates": [{"name": "build", "action": "wait"}, {"name": "deploy", "action": "play"}],
            }
            for number in range(projects)
        ]
        used = time.process_time()
        result = release(
            simulator,
            *plan,
            api_token="release-token-0123456789",
            api_concurrency=1,
            wait_timeout=build_seconds * 4 + 4 * 3600,
            **options,
        )
        return _cost(simulator, result, time.process_time() - used)


def _cost(simulator: t.Any, result: t.Any, cpu_seconds: float) -> Cost:
    requests = simulator.requests()
    begin = requests[0]["at"]
    first = [request for request in requests if request["at"] - begin < MINUTE]
    asked: set[str] = set()
    waiting = waiting_in_all = 0
    for request in requests:
        # a gate starts by listing the pipelines of each project and their jobs once
        if request["method"] == "GET" and request["path"] in asked:
            waiting += request["at"] - begin < MINUTE
            waiting_in_all += 1
        asked.add(request["path"])
    plays = [effect for effect in simulator.effects() if effect["action"] == "play"]
    ended = {effect["pipeline_id"]: simulator.job("build", pipeline_id=effect["pipeline_id"]) for effect in plays}
    refused = [request["at"] - begin for request in requests if request["status"] == 429]
    return Cost(
        first_minute=len(first),
        waiting=waiting,
        waiting_in_all=waiting_in_all,
        first_hour=sum(request["at"] - begin < 3600.0 for request in requests),
        refused=sum(at < MINUTE for at in refused),
        refused_later=sum(at >= MINUTE for at in refused),
        played=tuple(effect["project"] for effect in plays),
        late=tuple(effect["at"] - ended[effect["pipeline_id"]]["finished_at"] for effect in plays),
        paced_seconds=result["requests"]["paced_seconds"],
        cpu_seconds=cpu_seconds,
        peak_mebibytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        failure=result.failure,
    )


def line(projects: int, build_seconds: float, limit: str, cost: Cost) -> str:
    """Return a cost as a table row."""
    numbers = [
        f"{projects}",
        f"{build_seconds:g} s",
        limit,
        *(f"{count:,}" for count in (cost.first_minute, cost.waiting, cost.waiting_in_all, cost.first_hour)),
        *(f"{count:,}" for count in (cost.refused, cost.refused_later)),
        f"{len(cost.played):,} of {projects}" + ("" if len(set(cost.played)) == len(cost.played) else ", TWICE"),
        *(f"{seconds:.1f} s" for seconds in (statistics.median(cost.late or [0.0]), max(cost.late, default=0.0))),
        f"{cost.paced_seconds:.0f} s",
        f"{cost.cpu_seconds:.1f}",
        f"{cost.peak_mebibytes:.0f}",
    ]
    return f"| {' | '.join(numbers)} |"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.release", description=__doc__)
    parser.add_argument("--projects", default="10,100,500", help="how many, several with commas (default: %(default)s)")
    parser.add_argument("--build", default="60,2400", help="seconds that a build takes (default: %(default)s)")
    parser.add_argument("--limits", default=";".join(LIMITS), help="separated by semicolons (default: %(default)s)")
    parser.add_argument("--nudges", action="store_true", help="have the gates nudged")
    options = parser.parse_args()
    print(f"| {HEADER} |\n|{'---|' * (HEADER.count('|') + 1)}", flush=True)
    has_failed = False
    for build_seconds in map(float, options.build.split(",")):
        for limit in options.limits.split(";"):
            for projects in map(int, options.projects.split(",")):
                cost = measure(projects, build_seconds, LIMITS[limit], is_nudged=options.nudges)
                print(line(projects, build_seconds, limit, cost), flush=True)
                if cost.failure:
                    print(f"FAILED: {cost.failure[:500]}", flush=True)
                has_failed = has_failed or bool(cost.failure)
    return int(has_failed)


if __name__ == "__main__":
    conftest.link_checkout()
    sys.exit(main())
