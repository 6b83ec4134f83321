# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one task of the collection in a fresh Python process, without Ansible: `script_jobgate.py TASK OPTIONS`."""

from __future__ import annotations

import copy
import json
import os
import sys
import time
import typing as t

sys.path.insert(0, os.environ["BENCH_COLLECTIONS"])


def main() -> None:
    """Run the task and print its times and result."""
    name, options = (json.loads(argument) for argument in sys.argv[1:3])
    task, context = _task(name)
    defaults = {key: copy.deepcopy(option.get("default")) for key, option in task.spec.arguments.items()}
    unknown = set(options) - set(defaults)
    if unknown:
        raise SystemExit(f"{name} has no {unknown}")
    started = time.monotonic()
    outcome = task.run({**defaults, **options}, context)
    ended = time.monotonic()
    if outcome.failure is not None:
        raise SystemExit(outcome.failure)
    values = {"call": ended - started, "ended": ended, "changed": outcome.changed, **_result(name, outcome.values)}
    print(json.dumps(values), flush=True)


def _task(name: str) -> tuple[t.Any, t.Any]:
    """Return the task and its context. Import nothing else, because the import time is measured."""
    if name == "gitlab_job_info":
        from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_info as module
    elif name == "gitlab_job_action":
        from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_action as module
    elif name == "gitlab_job_download":
        from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_download as module
    else:
        from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_pipeline_bridges as module
    from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext

    return module.TASK, TaskContext()


def _result(name: str, values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the values that the benchmark compares."""
    if name == "gitlab_job_info":
        return {"jobs": len({job["id"] for job in values["jobs"]}), "timed_out": values["timed_out"]}
    if name == "gitlab_job_action":
        return {"jobs": sum(one["outcome"] == "applied" for one in values["results"])}
    if name == "gitlab_job_download":
        return {"sha256": values["sha256"], "size": values["size"]}
    return {"pipelines": len({one["id"] for one in values["downstream_pipelines"]})}


if __name__ == "__main__":
    main()
