# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client for the tests of the simulator, and the scenario that most of them use."""

from __future__ import annotations

import typing as t

import requests

from tests.simulator.fixture import Simulator

# One token per role, so that the name of the token shows who sends a request.
PEOPLE = {
    "ada": None,
    "olga": "owner",
    "mia": "maintainer",
    "dev": "developer",
    "rob": "reporter",
    "gus": "guest",
    "eve": None,
}
PROJECT = "group%2Fapp"
VERSIONS = ("11.11", "13.12", "15.9", "17.11", "18.10", "19.2")


def scenario(*jobs: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    """Return a world with one project, one pipeline (100) of `jobs`, and a token NAME-token for each person.

    Keyword arguments are keys of the pipeline or the scenario; all others are keys of the project.
    """
    pipeline_keys = {"ref", "tag", "source", "merge_request", "stages", "created_ago"}
    scenario_keys = {"hooks", "limits", "external_url", "version", "maintenance_mode", "runners", "clock"}
    pipeline = {key: more.pop(key) for key in list(more) if key in pipeline_keys}
    top_level = {key: more.pop(key) for key in list(more) if key in scenario_keys}
    return {
        **top_level,
        "users": [{"username": name, "admin": name == "ada"} for name in PEOPLE],
        "tokens": [{"token": f"{name}-token", "user": name} for name in PEOPLE],
        "projects": [
            {
                "path": "group/app",
                "id": 7,
                "members": {name: role for name, role in PEOPLE.items() if role},
                **more,
            }
        ],
        "pipelines": [
            {"id": 100, "project": "group/app", "user": "mia", "jobs": list(jobs), **pipeline},
        ],
    }


class Client:
    """A client that acts as one person."""

    def __init__(self, simulator: Simulator, token: str | None = "mia-token") -> None:
        self.base = f"{simulator.url}/api/v4"
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["PRIVATE-TOKEN"] = token

    def call(self, method: str, path: str, **more: t.Any) -> requests.Response:
        """Send a request. A path without a leading slash is relative to the project."""
        url = self.base + path if path.startswith("/") else f"{self.base}/projects/{PROJECT}/{path}"
        return self.session.request(method, url, timeout=60, allow_redirects=False, **more)

    def get(self, path: str, **more: t.Any) -> requests.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, **more: t.Any) -> requests.Response:
        return self.call("POST", path, **more)

    def delete(self, path: str, **more: t.Any) -> requests.Response:
        return self.call("DELETE", path, **more)


def names(response: requests.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [row["name"] for row in response.json()]
