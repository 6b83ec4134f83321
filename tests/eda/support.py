# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared by the tests of events: secrets, bodies as GitLab sends them, signed headers, and a receiver with a clock."""

from __future__ import annotations

import copy
import dataclasses
import json
import pathlib
import typing as t

from jobgate_gitlab_events.backlog import Backlog
from jobgate_gitlab_events.options import Options, read_options
from jobgate_gitlab_events.receiver import Answer, Receiver
from jobgate_gitlab_events.signatures import key_of, sign
from multidict import CIMultiDict

ROOT = pathlib.Path(__file__).resolve().parents[2]
EDA = ROOT / "extensions" / "eda"
TOKEN = "hook-token-0123456789"
OTHER_TOKEN = "other-token-0123456789"
# base64 of 0123456789abcdef (twice), and of fedcba9876543210 (twice)
SIGNING = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_SIGNING = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
SECRETS = (TOKEN, OTHER_TOKEN, SIGNING, OTHER_SIGNING)
NOW = 1_800_000_000.0
INSTANCE = "https://gitlab.example.com"

Record = dict[str, t.Any]

JOB: Record = {
    "object_kind": "build",
    "ref": "v1.2.0",
    "tag": True,
    "before_sha": "0" * 40,
    "sha": "95790bf891e76fee5e1747ab589903a6a1f80f22",
    "build_id": 1977,
    "build_name": "deploy:prod",
    "build_stage": "deploy",
    "build_status": "failed",
    "build_created_at": "2021-02-23T02:41:37.886Z",
    "build_duration": 12.5,
    "build_allow_failure": False,
    "build_failure_reason": "runner_system_failure",
    "retries_count": 1,
    "pipeline_id": 2366,
    "project_id": 380,
    "project_name": "Group / App",
    "user": {"id": 3, "name": "Alice", "username": "alice", "email": "alice@example.com"},
    # the only ID in this body that is not the ID of its object
    "commit": {"id": 2366, "sha": "95790bf891e76fee5e1747ab589903a6a1f80f22", "status": "failed"},
    "repository": {"name": "App", "homepage": f"{INSTANCE}/group/app"},
    "project": {"id": 380, "name": "App", "path_with_namespace": "group/app"},
    "runner": None,
    "environment": {"name": "production", "action": "start"},
}
PIPELINE: Record = {
    "object_kind": "pipeline",
    "object_attributes": {
        "id": 31,
        "iid": 3,
        "name": None,
        "ref": "main",
        "tag": False,
        "sha": "bcbb5ec396a2c0f828686f14fac9b80b780504f2",
        "source": "push",
        "status": "success",
        "detailed_status": "passed",
        "stages": ["build", "deploy"],
        "variables": [{"key": "NOTE", "value": "a"}],
    },
    "merge_request": None,
    "user": {"id": 1, "username": "root"},
    "project": {"id": 380, "path_with_namespace": "group/app"},
    "commit": {"id": "bcbb5ec396a2c0f828686f14fac9b80b780504f2"},
    "builds": [{"id": 380, "stage": "deploy", "name": "production", "status": "manual", "environment": None}],
}
DEPLOYMENT: Record = {
    "object_kind": "deployment",
    "status": "success",
    "status_changed_at": "2021-04-28 21:50:00 +0200",
    "deployment_id": 15,
    "deployable_id": 796,
    "environment": "staging",
    "environment_tier": "staging",
    "project": {"id": 380, "path_with_namespace": "group/app"},
    "short_sha": "279484c0",
    "user": {"id": 1, "username": "root"},
    "ref": "main",
}
PUSH: Record = {"object_kind": "push", "ref": "refs/heads/main", "project_id": 380}


def changed(record: Record, **values: t.Any) -> Record:
    """Return a copy of a body with changed top-level values."""
    return copy.deepcopy(record) | values


def encoded(record: t.Any) -> bytes:
    """Return a body as GitLab's JSON: UTF-8 without escapes."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def signed(
    body: bytes, delivery: str = "delivery-1", *, at: float = NOW, signing_token: str = SIGNING, **more: str
) -> CIMultiDict[str]:
    """Return the headers of a delivery of GitLab 19. Keywords with underscores are additional headers."""
    timestamp = str(int(at))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitLab/19.2.0",
        "Idempotency-Key": delivery,
        "X-Gitlab-Instance": INSTANCE,
        "webhook-id": delivery,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(key_of(signing_token), delivery, timestamp, body),
    }
    return CIMultiDict(headers | {name.replace("_", "-"): value for name, value in more.items()})


def with_token(delivery: str | None = "delivery-1", token: str = TOKEN, **more: str) -> CIMultiDict[str]:
    """Return the headers of a delivery before GitLab 19. Before 17.4, deliveries have no ID."""
    headers = {"X-Gitlab-Token": token, "X-Gitlab-Instance": INSTANCE}
    if delivery is not None:
        headers["Idempotency-Key"] = delivery
    return CIMultiDict(headers | {name.replace("_", "-"): value for name, value in more.items()})


@dataclasses.dataclass
class World:
    """A receiver with a manual clock."""

    receiver: Receiver
    backlog: Backlog
    options: Options
    now: float = NOW

    def send(self, headers: CIMultiDict[str], body: bytes, *, method: str = "POST", path: str = "/") -> Answer:
        """Return the receiver's answer to a delivery, as the server gets it."""
        refused = self.receiver.refuse(method, path, headers, len(body))
        if refused is not None:
            return refused
        if not self.backlog.take_bytes(len(body)):
            return Answer(503, "no room")
        answer = self.receiver.answer(headers, body)
        if answer.event is None:
            self.backlog.give_bytes(len(body))
        else:
            self.backlog.put(answer.event)
        return answer


def world(backlog: Backlog | None = None, **args: t.Any) -> World:
    """Return a receiver with these options, and with a signing token if the options contain no secret."""
    if not {"token", "signing_token", "insecure"} & set(args):
        args["signing_token"] = SIGNING
    options = read_options({"port": 0, **args})
    backlog = Backlog() if backlog is None else backlog
    made = World(Receiver(options, backlog, clock=lambda: made.now), backlog, options)
    return made
