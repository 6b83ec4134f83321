# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs, bridges and pipelines as GitLab returns them, as JSON of a fixed size."""

from __future__ import annotations

import functools
import json
import typing as t

PROJECT_ID = 7
PROJECT_PATH = "group/app"
# The size of a job in a real project.
JOB_BYTES = 2670

_SHA = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"
_SITE = "https://gitlab.example.com"
_TIME = "2026-01-02T03:04:05.678Z"
_PEOPLE = {"author_name": "Alice Example", "author_email": "alice@example.com"}

USER = {
    "id": 2,
    "username": "alice",
    "name": "Alice Example",
    "state": "active",
    "avatar_url": f"{_SITE}/uploads/-/system/user/avatar/2/avatar.png",
    "web_url": f"{_SITE}/alice",
    "created_at": _TIME,
    "bio": "",
    "location": "",
    "public_email": "",
    "linkedin": "",
    "twitter": "",
    "website_url": "",
    "organization": "",
    "job_title": "",
    "bot": False,
}
PROJECT = {
    "id": PROJECT_ID,
    "name": "app",
    "path": "app",
    "path_with_namespace": PROJECT_PATH,
    "default_branch": "main",
    "web_url": f"{_SITE}/{PROJECT_PATH}",
}
_COMMIT = {
    "id": _SHA,
    "short_id": _SHA[:8],
    "created_at": _TIME,
    "parent_ids": [_SHA[::-1]],
    "title": "Add the release pipeline",
    **_PEOPLE,
    "authored_date": _TIME,
    "committer_name": _PEOPLE["author_name"],
    "committer_email": _PEOPLE["author_email"],
    "committed_date": _TIME,
    "trailers": {},
    "extended_trailers": {},
    "web_url": f"{_SITE}/{PROJECT_PATH}/-/commit/{_SHA}",
}
_RUNNER = {
    "id": 11,
    "description": "runner-eu-1",
    "ip_address": None,
    "active": True,
    "paused": False,
    "is_shared": True,
    "runner_type": "instance_type",
    "name": "gitlab-runner",
    "online": True,
    "status": "online",
}
_MANAGER = {
    "id": 12,
    "system_id": "s_0123456789ab",
    "version": "18.9.0",
    "revision": "abcdef01",
    "platform": "linux",
    "architecture": "amd64",
    "created_at": _TIME,
    "contacted_at": _TIME,
    "ip_address": "192.0.2.10",
    "status": "online",
}


def pipeline(pipeline_id: int, status: str = "success") -> dict[str, t.Any]:
    """Return a pipeline as it appears in a job or in a list."""
    return {
        "id": pipeline_id,
        "iid": pipeline_id,
        "project_id": PROJECT_ID,
        "sha": _SHA,
        "ref": "main",
        "status": status,
        "source": "push",
        "created_at": _TIME,
        "updated_at": _TIME,
        "web_url": f"{_SITE}/{PROJECT_PATH}/-/pipelines/{pipeline_id}",
    }


def _common(job_id: int, name: str, status: str, pipeline_id: int) -> dict[str, t.Any]:
    has_started = status in ("running", "success", "failed")
    has_ended = status in ("success", "failed")
    return {
        "id": job_id,
        "status": status,
        "stage": "deploy",
        "name": name,
        "ref": "main",
        "tag": False,
        "coverage": None,
        "allow_failure": False,
        "created_at": _TIME,
        "started_at": _TIME if has_started else None,
        "finished_at": _TIME if has_ended else None,
        "erased_at": None,
        "duration": 12.5 if has_started else None,
        "queued_duration": 0.8 if has_started else None,
        "user": USER,
        "commit": {**_COMMIT, "message": ""},
        "pipeline": pipeline(pipeline_id, "success" if has_ended else "running"),
        "web_url": f"{_SITE}/{PROJECT_PATH}/-/jobs/{job_id}",
        "project": {"ci_job_token_scope_enabled": False},
    }


def job(job_id: int, name: str, status: str, pipeline_id: int) -> bytes:
    """Return a job. The message of its commit pads it to JOB_BYTES."""
    record = _common(job_id, name, status, pipeline_id)
    has_ended = record["finished_at"] is not None
    if has_ended:
        record["artifacts_file"] = {"filename": "artifacts.zip", "size": 1024}
    record |= {
        "artifacts": [_artifact("archive", "artifacts.zip", "zip")] if has_ended else [],
        "runner": _RUNNER if record["started_at"] else None,
        "runner_manager": _MANAGER if record["started_at"] else None,
        "artifacts_expire_at": None,
        "archived": False,
        "tag_list": ["docker", "linux"],
    }
    record["commit"]["message"] = "m" * max(0, JOB_BYTES - len(encode(record)))
    return encode(record)


def _artifact(kind: str, name: str, file_format: str) -> dict[str, t.Any]:
    return {"file_type": kind, "size": 1024, "filename": name, "file_format": file_format}


def bridge(job_id: int, name: str, pipeline_id: int, downstream_id: int) -> bytes:
    """Return a trigger job whose downstream pipeline succeeded."""
    record = _common(job_id, name, "success", pipeline_id)
    record["downstream_pipeline"] = pipeline(downstream_id)
    record["commit"]["message"] = record["commit"]["title"]
    return encode(record)


@functools.lru_cache(maxsize=4096)
def known_job(job_id: int, name: str, status: str, pipeline_id: int) -> bytes:
    """Return a job that is requested repeatedly."""
    return job(job_id, name, status, pipeline_id)


def encode(value: t.Any) -> bytes:
    """Return JSON in the compact form that GitLab sends."""
    return json.dumps(value, separators=(",", ":")).encode()
