# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records nested in other records, or used by jobs: users, commits, runners, projects (topic: nested objects)."""

from __future__ import annotations

import datetime
import typing as t

from .model import Pipeline, Project, Runner, User

if t.TYPE_CHECKING:
    from .render import Renderer

Record = dict[str, t.Any]

_DAY = 86400
# Field of a user's profile -> its value; versions contains the versions that have it.
_PROFILE: dict[str, t.Any] = {
    "bio": "",
    "location": None,
    "public_email": None,
    "skype": "",
    "linkedin": "",
    "twitter": "",
    "discord": "",
    "website_url": "",
    "github": "",
    "organization": None,
    "job_title": "",
    "pronouns": None,
    "bot": False,
    "work_information": None,
    "followers": 0,
    "following": 0,
    "local_time": None,
}


def user_basic(render: Renderer, user: User | None) -> Record | None:
    """Return the record of a user in pipelines and deployments."""
    if user is None:
        return None
    record: Record = {"id": user.id, "username": user.username, "name": user.name, "state": user.state}
    if render.knows("user.locked"):
        record["locked"] = False
    record["avatar_url"] = f"{render.base_url}/uploads/-/system/user/avatar/{user.id}/avatar.png"
    record["web_url"] = f"{render.base_url}/{user.username}"
    return record


def user(render: Renderer, user: User | None) -> Record | None:
    """Return the record of a user in jobs, which includes the profile."""
    record = user_basic(render, user)
    if record is None:
        return None
    record["created_at"] = render.time(-_DAY * 365)
    record.update({name: value for name, value in _PROFILE.items() if render.knows(f"user.{name}")})
    return record


def commit(render: Renderer, project: Project, sha: str, pipeline: Pipeline | None) -> Record:
    """Return a commit; its author is the user who started its pipeline."""
    # The commit's own offset, which can differ from the server's.
    moment = render.engine.clock.moment((pipeline.created_at if pipeline else -_DAY) - 30)
    created = moment.astimezone(datetime.timezone(datetime.timedelta(hours=2))).isoformat(timespec="milliseconds")
    author = pipeline.user if pipeline else None
    name, mail = author.name if author else "Nobody", f"{author.username if author else 'nobody'}@example.org"
    record: Record = {
        "id": sha,
        "short_id": sha[:8],
        "created_at": created,
        "parent_ids": [],
        "title": "Change the code",
        "message": "Change the code\n",
        "author_name": name,
        "author_email": mail,
        "authored_date": created,
        "committer_name": name,
        "committer_email": mail,
        "committed_date": created,
    }
    record.update({key: {} for key in ("trailers", "extended_trailers") if render.knows(f"commit.{key}")})
    record["web_url"] = f"{render.base_url}/{project.path}/-/commit/{sha}"
    return record


def runner(render: Renderer, runner: Runner | None) -> Record | None:
    """Return a runner, without its creator, which only administrators can read."""
    if runner is None:
        return None
    record: Record = {
        "id": runner.id,
        "description": runner.description,
        "ip_address": None if render.knows("runner.without_address") else "192.0.2.1",
        "active": not runner.paused,
        "paused": runner.paused,
        "is_shared": True,
        "runner_type": "instance_type",
        "name": "gitlab-runner",
        "online": True,
        "status": "online",
    }
    if render.knows("runner.job_execution_status"):
        record.update(created_at=render.time(-_DAY), job_execution_status="idle")
    return record


def runner_manager(render: Renderer, runner: Runner | None) -> Record | None:
    if runner is None:
        return None
    record: Record = {
        "id": runner.id,
        "system_id": f"s_{runner.id:012x}",
        "version": render.features.text,
        "revision": "0f67ff19",
        "platform": "linux",
        "architecture": "amd64",
        "created_at": render.time(-_DAY),
        "contacted_at": render.time(render.engine.time),
        "ip_address": "192.0.2.1",
        "status": "online",
    }
    if render.knows("runner.job_execution_status"):
        record["job_execution_status"] = "idle"
    return record


def project(render: Renderer, project: Project) -> Record:
    name = project.path.rpartition("/")[2]
    return {
        "id": project.id,
        "description": None,
        "name": name,
        "name_with_namespace": project.path.replace("/", " / "),
        "path": name,
        "path_with_namespace": project.path,
        "created_at": render.time(-_DAY * 30),
        "default_branch": project.default_branch,
        "web_url": f"{render.base_url}/{project.path}",
        "visibility": project.visibility,
        "archived": project.archived,
        "public_jobs": project.public_builds,
        "jobs_enabled": project.builds_enabled,
        "builds_access_level": "enabled" if project.builds_enabled else "disabled",
    }
