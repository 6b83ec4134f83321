# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world in which every call starts."""

from __future__ import annotations

import typing as t

# More than 20 characters, because some clients send such a token as a bearer token.
TOKEN: t.Final = "glpat-0123456789abcdefghij"
TRIGGER_TOKEN: t.Final = "glptt-0123456789"
RELEASE_SHA: t.Final = "c0ffee" + "0" * 34

_FILES: t.Final = {"notes.txt": "words\n", "tool.bin": "\x7f\xe4", "sub/data.json": '{"answer": 42}'}

WORLD: t.Final[dict[str, t.Any]] = {
    "users": ["olga", "dan"],
    "tokens": [
        {"token": TOKEN, "user": "olga"},
        {"token": TRIGGER_TOKEN, "kind": "trigger", "user": "olga", "project": "group/app"},
    ],
    "projects": [
        {
            "path": "group/app",
            "id": 7,
            "members": {"olga": "owner", "dan": "developer"},
            "protected_environments": {"production": {"rules": [{"role": "maintainer"}]}},
            "freeze_periods": [{"freeze_start": "0 23 * * 5", "freeze_end": "0 7 * * 1"}],
            "new_pipelines": {
                "main": {"jobs": [{"name": "build"}, {"name": "deploy", "stage": "deploy", "when": "manual"}]},
                "release": {"refused": "workflow_rules"},
            },
        },
        {"path": "group/secret", "id": 8},
    ],
    "pipelines": [
        {
            "id": 100,
            "project": "group/app",
            "user": "dan",
            "variables": {"COLOR": "blue"},
            "stages": ["build", "test", "deploy"],
            "jobs": [
                {
                    "name": "build",
                    "id": 1000,
                    "stage": "build",
                    "status": "success",
                    "log": "first line\nlast line\n",
                    "artifacts": {"files": _FILES, "expire_in": 86400},
                },
                {
                    "name": "unit",
                    "id": 1001,
                    "status": "failed",
                    "attempts": [{}],
                    "tests": [{"name": "one"}, {"name": "two", "status": "failed"}],
                },
                {"name": "long", "id": 1002, "status": "running", "duration": 500},
                {"name": "ask", "id": 1003, "when": "manual"},
                {"name": "live", "id": 1004, "stage": "deploy", "when": "manual", "environment": "production",
                 "needs": []},
                {
                    "name": "docs",
                    "id": 1005,
                    "status": "success",
                    "trigger": {"pipeline": {"id": 200, "jobs": [{"name": "below", "id": 2000, "status": "success"}]}},
                },
                {"name": "flaky", "id": 1007, "status": "success", "retried": 1},
            ],
        },
        {
            "id": 101,
            "project": "group/app",
            "user": "olga",
            "ref": "release",
            "sha": RELEASE_SHA,
            "source": "web",
            "created_ago": 3600,
            "jobs": [
                {"name": "build", "id": 3000, "status": "success", "artifacts": {"files": _FILES}},
                {"name": "unit", "id": 3001, "status": "failed", "attempts": [{}]},
            ],
        },
        {"id": 99, "project": "group/app", "user": "dan", "ref": "stable", "created_ago": 9000,
         "jobs": [{"name": "build", "id": 900, "status": "success", "artifacts": {"files": _FILES}}]},
        {"id": 102, "project": "group/app", "user": "dan", "merge_request": 5,
         "jobs": [{"name": "review", "id": 4000, "status": "success"}]},
        {"id": 103, "project": "group/app", "user": "olga", "ref": "feature/x", "created_ago": 7200,
         "jobs": [{"name": "slow", "id": 5000, "status": "running", "duration": 500}]},
    ],
}  # fmt: skip
