# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client for a running simulator: it uses only HTTP, so that the simulator can be another process."""

from __future__ import annotations

import json
import pathlib
import typing as t
import urllib.parse
import urllib.request

World = dict[str, t.Any]

TOKEN = "alice-token-0123456789"
OAUTH_TOKEN = "oauth-token-0123456789"
JOB_TOKEN = "glcbt-64_of-the-job-release-0123"
TRIGGER_TOKEN = "glptt-0123456789abcdef"
SECRETS = (TOKEN, OAUTH_TOKEN, JOB_TOKEN, TRIGGER_TOKEN)


class Server:
    """The admin API of a simulator."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _send(self, path: str, body: object = None, method: str | None = None) -> t.Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_simulator/{path}", data=data, method=method)
        # the server is local, so bypass proxies
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def load(self, world: World) -> None:
        """Replace the world, with a clock that runs sixty times as fast as real time."""
        self._send("scenario?clock=scaled:60", world)

    def effects(self) -> list[str]:
        """Return action and job name, or project for a whole pipeline, of all changes, in order."""
        return [f"{effect['action']} {effect['name'] or effect['project']}" for effect in self._send("effects")]

    def has_served(self, endpoint: str) -> bool:
        """Return whether any client has called an endpoint, by its name in the simulator."""
        return any(request["endpoint"] == endpoint for request in self._send("requests"))

    def sha256(self, job_id: int) -> str:
        """Return the checksum of the archive of a job."""
        return str(self._send("sha256", {"job": job_id, "content": "archive"})["sha256"])

    def inject(self, **rule: t.Any) -> None:
        """Add a fault rule."""
        self._send("faults", rule)

    def clear_faults(self) -> None:
        self._send("faults", method="DELETE")

    def act(self, job: str, action: str) -> None:
        """Act on a job as another user."""
        self._send(f"jobs/{urllib.parse.quote(job, safe='')}/{action}", {})

    def tls(self, kind: str) -> tuple[str, str]:
        """Return the URL of the same world over TLS, and the CA file."""
        answer = self._send("tls", {"kind": kind})
        return answer["url"], answer["ca_path"]


def install_extensions(folder: pathlib.Path) -> pathlib.Path:
    """Install the extensions of the guide as one distribution, and return the folder for PYTHONPATH."""
    sources = sorted((pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples" / "extensions").glob("*.py"))
    info = folder / "acme_gitlab_extensions-1.0.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    for source in sources:
        (folder / source.name).write_bytes(source.read_bytes())
    entries = "".join(f"{source.stem} = {source.stem}\n" for source in sources)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-gitlab-extensions\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text(f"[jobgate.gitlab]\n{entries}")
    return folder
