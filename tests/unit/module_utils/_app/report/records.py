# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of releases for the tests of reports."""

from __future__ import annotations


def iso(offset):
    minutes, rest = divmod(int(offset), 60)
    return f"2026-01-01T{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}.000Z"


def a_job(number=1, **fields):
    return {
        "id": number,
        "name": f"job{number}",
        "path": f"job{number}",
        "pipeline_id": 6,
        "status": "success",
        "web_url": f"https://gitlab.example.com/g/a/-/jobs/{number}",
        "created_at": iso(0),
        "started_at": iso(10),
        "finished_at": iso(70),
        "duration": 60,
        "queued_duration": 10,
        "attempt": 1,
        "superseded": False,
        "downstream_pipeline_id": None,
        "user": "alice",
        **fields,
    }


def a_gate(**fields):
    return {
        "name": "deploy",
        "action": "play",
        "require": "success",
        "outcome": "played",
        "reason": "",
        "changed": True,
        "job_variables": [],
        "jobs": [a_job()],
        "queued": 10,
        "elapsed": 61.5,
        "log_tail": [],
        **fields,
    }


def a_project(**fields):
    pipeline = {"id": 6, "project": "g/a", "path": "", "parent_id": None, "ref": "main", "sha": "f" * 40}
    pipeline.update(status="success", web_url="https://gitlab.example.com/g/a/-/pipelines/6")
    return {
        "name": "app",
        "project": "g/a",
        "needs": [],
        "outcome": "passed",
        "pipeline": pipeline,
        "gates": [a_gate()],
        "pipelines": [pipeline],
        "jobs": [a_job()],
        **fields,
    }


def a_record(*projects, **fields):
    return {
        "title": "",
        "role": "jobgate.gitlab.release_gate",
        "version": "0.1.0",
        "user": "alice",
        "host": "controller",
        "server": "https://gitlab.example.com",
        "started_at": iso(0),
        "elapsed": 62.0,
        "requests": {"count": 17, "throttled": 0, "paced_seconds": 0.0},
        "strategy": "fail_fast",
        "check_mode": False,
        "outcome": "passed",
        "changed": True,
        "message": "",
        "warnings": [],
        "projects": list(projects) or [a_project()],
        **fields,
    }
