# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting, retrying and canceling pipelines on the simulator, and following them to their end."""

from __future__ import annotations

import typing as t

from .harness import PIPELINE, run_task, world

JOBS = [
    {"name": "build", "stage": "build", "duration": 10},
    {"name": "test", "stage": "test", "duration": 20},
]
RUN: dict[str, t.Any] = {"project": "group/app", "action": "run", "ref": "main"}


def with_new(*jobs: dict[str, t.Any], old: t.Sequence[dict[str, t.Any]] = (), **more: t.Any) -> dict[str, t.Any]:
    """Return a scenario in which a new pipeline has these jobs."""
    made = world(*(old or [{"name": "build", "status": "success"}]))
    made["projects"][0] |= {"new_pipelines": {"*": {"jobs": list(jobs or JOBS)}}, **more}
    return made


def did(simulator: t.Any) -> list[tuple[str, int]]:
    """Return what was really done to pipelines."""
    return [(effect["action"], effect["pipeline_id"]) for effect in simulator.effects()]


def test_a_pipeline_is_started_and_followed_to_its_end(simulator: t.Any) -> None:
    simulator.load(with_new())
    result = run_task(simulator, PIPELINE, **RUN, variables={"A": 1, "B": True}, wait=True)
    assert result.failure is None and result.changed
    assert (result["id"], result["status"]) == (101, "success")
    assert result["summary"] == {"success": 2}
    assert did(simulator) == [("create_pipeline", 101)]
    assert [(row["key"], row["value"]) for row in simulator.effects()[0]["variables"]] == [("A", "1"), ("B", "true")]
    assert result["timeline"][-1]["to"] == "success"
