# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables and test reports of a pipeline (topics: P4, P5, P6)."""

from __future__ import annotations

import typing as t

from . import errors, roles, routes_pipelines
from .call import Call, Reply, json_reply
from .model import Job

_COUNTED = {"success_count": "success", "failed_count": "failed", "skipped_count": "skipped", "error_count": "error"}


def variables(call: Call) -> Reply:
    """P4: the variables of a pipeline, for maintainers and for the user who started it."""
    pipeline = routes_pipelines.readable_pipeline(call)
    user = call.identity.user
    own = pipeline.user is user and user is not None and roles.may_write_pipeline(user, pipeline, "update_pipeline")
    if not own and not roles.at_least(user, pipeline.project, roles.LOWEST["all_pipeline_variables"]):
        raise errors.forbidden()
    return json_reply(pipeline.variables)


def _suites(call: Call) -> list[tuple[Job, dict[str, t.Any]]]:
    """Return the suites of the jobs that have run, with their counts."""
    pipeline = routes_pipelines.readable_pipeline(call)
    done = [job for job in pipeline.latest() if job.spec.tests and job.status in ("success", "failed")]
    return [(job, {"name": job.name, **_numbers(job.spec.tests)}) for job in done]


def _numbers(tests: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    counts = {key: sum(test["status"] == status for test in tests) for key, status in _COUNTED.items()}
    return {"total_time": sum(test["time"] for test in tests), "total_count": len(tests), **counts}


def test_report(call: Call) -> Reply:
    """P5: every test of every suite."""
    found = _suites(call)
    suites = []
    for job, numbers in found:
        cases = [
            {
                "status": test["status"],
                "name": test["name"],
                "classname": test["classname"] or job.name,
                "file": None,
                "execution_time": test["time"],
                "system_output": test["output"],
                "stack_trace": None,
                "recent_failures": None,
            }
            for test in job.spec.tests
        ]
        suites.append({**numbers, "suite_error": None, "test_cases": cases})
    whole = _numbers([test for job, _row in found for test in job.spec.tests])
    return json_reply({**whole, "test_suites": suites})


def test_report_summary(call: Call) -> Reply:
    """P6: only the counts."""
    found = _suites(call)
    whole = _numbers([test for job, _row in found for test in job.spec.tests])
    total = {
        "time": whole["total_time"],
        "count": whole["total_count"],
        **{status: whole[key] for key, status in _COUNTED.items()},
        "suite_error": None,
    }
    suites = [{**numbers, "build_ids": [job.id], "suite_error": None} for job, numbers in found]
    return json_reply({"total": total, "test_suites": suites})
