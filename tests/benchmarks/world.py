# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data of the benchmark server: one project, long lists, changing pipelines, large files, and counters."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import json
import re
import time
import typing as t
from urllib.parse import parse_qs

from . import records
from .answers import NO_RECORD, NO_ROUTE, Query, file_answer, json_answer, keyset_page, page
from .http_loop import Answer, Body, HttpRequest

API = "/api/v4"
# One single job, and the jobs whose log and archive are the large and the small file.
ONE_JOB, LARGE_JOB, SMALL_JOB = 1000, 2001, 2002
ONE_PIPELINE = 100
# The same job, as Vault would return it.
VAULT_PATH = "secret/job"
# The file in the archives.
ARCHIVED_PATH = "build/large.bin"
TREE_ROOT = 500
# The number of trigger jobs in each pipeline, by level: 100 pipelines in total below the root.
TREE_FAN = (10, 3, 2)
_FIRST_LISTED = 1_000_001
_JOBS_PER_PIPELINE = 100
_FIRST_LIVE = 50_000

_PROJECT_ROUTE = re.compile(rf"{API}/projects/(?:7|group%2[Ff]app)(?P<rest>/.*)?")
_JOB_ROUTE = re.compile(
    rf"/jobs/(?P<id>\d+)(?:/(?P<verb>play|trace|artifacts)(?:(?<=/artifacts)/{re.escape(ARCHIVED_PATH)})?)?"
)
_PIPELINE_ROUTE = re.compile(r"/pipelines/(?P<id>\d+)(?:/(?P<list>jobs|bridges|trigger_jobs))?")


@dataclasses.dataclass
class LivePipeline:
    """A pipeline whose jobs change: they are played, or end over time.

    :param ends: seconds from the first request for the pipeline until the end of each job; empty for manual jobs.
    """

    id: int
    job_ids: list[int]
    ends: list[float] = dataclasses.field(default_factory=list)
    started: float | None = None
    played: collections.Counter[int] = dataclasses.field(default_factory=collections.Counter)

    def status(self, job_id: int) -> str:
        """Return the current status of a job."""
        if not self.ends:
            return "pending" if self.played[job_id] else "manual"
        if self.started is None:
            self.started = time.monotonic()
        return "success" if time.monotonic() >= self.started + self.ends[job_id - self.job_ids[0]] else "running"

    def job(self, job_id: int) -> bytes:
        """Return a job in its current state."""
        return records.known_job(job_id, f"deploy-{job_id - self.job_ids[0]}", self.status(job_id), self.id)

    def state(self) -> dict[str, t.Any]:
        """Return the facts that benchmarks need about the pipeline."""
        last_end = self.started + max(self.ends) if self.ends and self.started is not None else None
        return {"id": self.id, "jobs": self.job_ids, "last_end": last_end, "plays": sum(self.played.values())}


class World:
    """Answers requests.

    :param large: content of the log and the archive of LARGE_JOB.
    """

    def __init__(self, *, jobs: int, large: Body, small: Body) -> None:
        self.has_trigger_jobs = True
        self.has_bridges = True
        self.counts: collections.Counter[str] = collections.Counter()
        self._files = {LARGE_JOB: large, SMALL_JOB: small}
        self._ids = range(_FIRST_LISTED + jobs - 1, _FIRST_LISTED - 1, -1)
        self._jobs = [
            records.job(one, f"job-{one}", "success", 10_000 + (one - _FIRST_LISTED) // _JOBS_PER_PIPELINE)
            for one in self._ids
        ]
        self._bridges = _tree()
        self._live: dict[int, LivePipeline] = {}
        self._live_jobs: dict[int, LivePipeline] = {}
        self._next_live = itertools.count(_FIRST_LIVE, 1000)
        # responses that never change, by method, target and base
        self._known: dict[HttpRequest, tuple[str, Answer]] = {}

    def make_pipeline(self, jobs: int, *, last_end_seconds: float = 0.0) -> LivePipeline:
        """Return a new pipeline with manual jobs, or with jobs that end one by one until `last_end_seconds`."""
        first = next(self._next_live)
        ends = [last_end_seconds * number / jobs for number in range(1, jobs + 1)] if last_end_seconds else []
        live = LivePipeline(first, list(range(first + 1, first + 1 + jobs)), ends)
        self._live[live.id] = live
        self._live_jobs |= dict.fromkeys(live.job_ids, live)
        return live

    def live_pipeline(self, pipeline_id: int) -> LivePipeline:
        """Return a pipeline created by `make_pipeline`."""
        return self._live[pipeline_id]

    def forget(self) -> None:
        """Reset the counters and switches, and remove the created pipelines."""
        self.counts.clear()
        self._live.clear()
        self._live_jobs.clear()
        self.has_trigger_jobs = self.has_bridges = True
        self._known.clear()

    def warm_up(self, base: str) -> None:
        """Build the pages of the long list before they are requested."""
        for number in range(1, -(-len(self._jobs) // 100) + 1):
            for project in ("7", "group%2Fapp"):
                self.answer(HttpRequest("GET", f"{API}/projects/{project}/jobs?per_page=100&page={number}", base))
        self.counts.clear()

    def answer(self, request: HttpRequest) -> Answer:
        """Return the response to a request."""
        known = self._known.get(request)
        if known:
            self.counts[known[0]] += 1
            return known[1]
        kind, answer, is_lasting = self._find(request)
        self.counts[kind] += 1
        if is_lasting:
            self._known[request] = kind, answer
        return answer

    def _find(self, request: HttpRequest) -> tuple[str, Answer, bool]:
        """Return the kind of a request, its response, and whether that response never changes."""
        path, _mark, rest = request.target.partition("?")
        query = parse_qs(rest)
        found = _PROJECT_ROUTE.fullmatch(path)
        if not found:
            plain = {
                f"{API}/user": records.USER,
                f"{API}/version": {"version": "18.9.0", "revision": "abcdef01"},
                f"/v1/{VAULT_PATH}": {"lease_duration": 0, "data": json.loads(_one_job())},
            }
            if path in plain:
                return path.rpartition("/")[2], json_answer(records.encode(plain[path])), True
            return "unknown", json_answer(NO_ROUTE, 404), False
        return self._of_project(request, path, found["rest"] or "", query)

    def _of_project(self, request: HttpRequest, path: str, rest: str, query: Query) -> tuple[str, Answer, bool]:
        if rest == "":
            return "project", json_answer(records.encode(records.PROJECT)), True
        if rest == "/variables":
            return "variables", page(request, path, query, [], has_totals=True), True
        if rest == "/pipelines":
            items = [records.encode(records.pipeline(ONE_PIPELINE))]
            return "list pipelines", page(request, path, query, items, has_totals=True), True
        if rest == "/jobs":
            return "list project jobs", self._project_jobs(request, path, query), True
        job = _JOB_ROUTE.fullmatch(rest)
        if job:
            return self._of_job(request, int(job["id"]), job["verb"])
        pipeline = _PIPELINE_ROUTE.fullmatch(rest)
        if pipeline:
            return self._of_pipeline(request, path, query, int(pipeline["id"]), pipeline["list"])
        return "unknown", json_answer(NO_ROUTE, 404), False

    def _project_jobs(self, request: HttpRequest, path: str, query: Query) -> Answer:
        scope = query.get("scope[]", query.get("scope"))
        is_empty = bool(scope) and "success" not in (scope or ())
        items, ids = ([], range(0)) if is_empty else (self._jobs, self._ids)
        if query.get("pagination") == ["keyset"]:
            return keyset_page(request, path, query, items, ids)
        return page(request, path, query, items, has_totals=False)

    def _of_job(self, request: HttpRequest, job_id: int, verb: str | None) -> tuple[str, Answer, bool]:
        live = self._live_jobs.get(job_id)
        if verb == "play":
            if request.method != "POST" or live is None:
                return "play", json_answer(NO_RECORD, 404), False
            if live.status(job_id) != "manual":
                return "play refused", json_answer(b'{"message":"400 Bad request - Unplayable Job"}', 400), False
            live.played[job_id] += 1
            return "play", json_answer(live.job(job_id)), False
        if verb:
            if job_id not in self._files:
                return verb, json_answer(NO_RECORD, 404), False
            kind = "text/plain" if verb == "trace" else "application/octet-stream"
            return verb, file_answer(self._files[job_id], kind), True
        if live:
            return "job", json_answer(live.job(job_id)), False
        if job_id == ONE_JOB:
            return "job", json_answer(_one_job()), True
        if job_id in self._files:
            return "job", json_answer(records.job(job_id, f"build-{job_id}", "success", ONE_PIPELINE)), True
        if job_id in self._ids:
            return "job", json_answer(self._jobs[self._ids.index(job_id)]), False
        return "job", json_answer(NO_RECORD, 404), False

    def _of_pipeline(
        self, request: HttpRequest, path: str, query: Query, pipeline_id: int, listed: str | None
    ) -> tuple[str, Answer, bool]:
        live = self._live.get(pipeline_id)
        is_known = live is not None or pipeline_id in self._bridges or pipeline_id == ONE_PIPELINE
        if not is_known:
            return "pipeline", json_answer(NO_RECORD, 404), False
        if listed is None:
            status = "running" if live and any(live.status(one) != "success" for one in live.job_ids) else "success"
            return "pipeline", json_answer(records.encode(records.pipeline(pipeline_id, status))), False
        if listed == "jobs":
            if live is None:
                names = [(one, f"build-{one}") for one in (SMALL_JOB, LARGE_JOB, ONE_JOB)]
                items = [records.job(one, name, "success", pipeline_id) for one, name in names]
                items = items if pipeline_id == ONE_PIPELINE else []
                return "list pipeline jobs", page(request, path, query, items, has_totals=True), True
            scope = query.get("scope[]", query.get("scope"))
            ids = [one for one in reversed(live.job_ids) if not scope or live.status(one) in scope]
            answer = page(request, path, query, _Jobs(live, ids), has_totals=True)
            return "list pipeline jobs", answer, False
        if not (self.has_trigger_jobs if listed == "trigger_jobs" else self.has_bridges):
            return f"no {listed}", json_answer(NO_ROUTE, 404), False
        answer = page(request, path, query, self._bridges.get(pipeline_id, []), has_totals=True)
        return "list bridges", answer, True


class _Jobs(t.Sequence[bytes]):
    """The jobs of a changing pipeline, built only for the requested page."""

    def __init__(self, live: LivePipeline, ids: list[int]) -> None:
        self._live = live
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: t.Any) -> t.Any:
        if isinstance(index, slice):
            return [self._live.job(one) for one in self._ids[index]]
        return self._live.job(self._ids[index])


def _one_job() -> bytes:
    return records.job(ONE_JOB, f"build-{ONE_JOB}", "success", ONE_PIPELINE)


def _tree() -> dict[int, list[bytes]]:
    """Return the trigger jobs of each pipeline of the tree, newest first."""
    bridges: dict[int, list[bytes]] = {TREE_ROOT: []}
    level = [TREE_ROOT]
    number = itertools.count(TREE_ROOT + 1)
    for fan in TREE_FAN:
        following = []
        for parent in level:
            for place in range(fan):
                child = next(number)
                bridges[child] = []
                bridges[parent].insert(0, records.bridge(7000 + child, f"trigger-{place}", parent, child))
                following.append(child)
        level = following
    return bridges
