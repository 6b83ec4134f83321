# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release on a server that returns nonsense: gates act once, and the record and the report are written and safe."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
import typing as t
import unicodedata
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import (
    gitlab_job_download,
    gitlab_pipeline_bridges,
    gitlab_release_gate,
)
from hypothesis import given, target
from hypothesis import strategies as st

from ..harness import TOKEN, FunctionTransport, Progress, bridge, job, pipeline, run_task
from .support import control_codes_in, examples, hostile_text, nested

VARIABLE = "hunter2-hunter2"
SPLITTING_CODES = ["\x1b[0m", "\x00", "\x9b1m", "\r", "\u200b", "\u202e"]
split_token = st.builds(
    lambda at, code: TOKEN[:at] + code + TOKEN[at:], st.integers(1, len(TOKEN) - 1), st.sampled_from(SPLITTING_CODES)
)
times = st.sampled_from(
    [
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000+00:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "now", "",
        "2026-01-01\u202e00:00:00+00:00", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00+99:99", "10000-01-01T00:00:00Z", VARIABLE, 0, -1, {}, [], True, None,
    ]
)  # fmt: skip
# without NaN and infinities, for which the whole answer would be rejected
numbers = st.sampled_from([None, 0, -1, 1.5, 1e9, 1e300, 10**400, True, "1", [], {}])
texts = st.one_of(hostile_text, split_token, st.just(VARIABLE), st.just("\ud800"), st.just("\u2066x"))
anything = st.one_of(times, numbers, texts, nested(texts))
FIELDS: dict[str, t.Any] = {
    "name": texts,
    "stage": anything,
    "web_url": st.one_of(texts, st.sampled_from(["javascript:alert(1)", "http://[", "https://h/\u202e", 1])),
    "ref": anything,
    "created_at": times,
    "started_at": times,
    "finished_at": times,
    "erased_at": times,
    "duration": numbers,
    "queued_duration": numbers,
    "failure_reason": anything,
    "allow_failure": anything,
    "user": st.one_of(anything, texts.map(lambda text: {"username": text, "id": 2})),
    "runner": st.one_of(anything, texts.map(lambda text: {"description": text})),
    "tag_list": anything,
    "artifacts": anything,
    "pipeline": anything,
}
hostile_fields = st.fixed_dictionaries({}, optional=FIELDS)
# a pipeline with an invalid type in a field that identifies it is rejected, too
PIPELINE_FIELDS = st.fixed_dictionaries(
    {}, optional={"ref": texts, "sha": texts, "web_url": FIELDS["web_url"], "source": texts, "iid": anything}
)


def unseen_in(text: str) -> list[str]:
    """Return the characters of a string that are invisible or change its reading direction."""
    turning = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    return [char for char in text if unicodedata.bidirectional(char) in turning or char in "\u200b\u2060\ufeff"]


def assert_clean(text: str, secrets: t.Sequence[str] = (TOKEN, VARIABLE)) -> None:
    assert not control_codes_in(text) and not unseen_in(text), ascii(text)
    for secret in secrets:
        assert secret not in text
    text.encode()


class Page(HTMLParser):
    """Collects the visible text of a page, and fails if it contains anything that may run."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def handle_data(self, data: str) -> None:
        self.shown.append(data)

    def handle_starttag(self, tag: str, attrs: t.Any) -> None:
        assert tag not in ("script", "img", "iframe", "object", "embed", "form", "base", "svg")
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in ("href", "src") or value.startswith(("http://", "https://", "#gate-"))


def server(extra: t.Mapping[str, t.Any], of_pipeline: t.Mapping[str, t.Any], log: str) -> FunctionTransport:
    """Return a server whose only job can be played and then ends immediately."""
    state = {"status": "manual"}

    def answer(call: t.Any) -> t.Any:
        if call.method == "POST":
            state["status"] = "failed"
            return job(status="pending", **extra)
        record = job(status=state["status"], **extra)
        if call.path.endswith("/trace"):
            return log.encode("utf-8", errors="replace")
        if call.path.endswith("/pipelines/9/jobs"):
            return []
        if call.path.endswith("/jobs"):
            return [record]
        if call.path.endswith(("/trigger_jobs", "/bridges")):
            below = pipeline(9, **of_pipeline) if "/6/" in call.path else None
            return [bridge(41, downstream=below, **extra)] if below else []
        return record if "/jobs/" in call.path else pipeline(**of_pipeline)

    return FunctionTransport(answer)


@examples(150)
@given(hostile_fields, PIPELINE_FIELDS, texts)
def test_release_is_recorded_safely_on_a_hostile_server(extra, of_pipeline, log):
    gates = [{"name": ["*"], "action": "play", "multiple": "latest", "job_variables": {"PASSWORD": VARIABLE}}]
    progress = Progress(is_shown=True)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: os.path.join(folder, name) for name in ("record", "report", "summary", "junit")}
        transport = server(extra, of_pipeline, log)
        outcome = run_task(
            gitlab_release_gate.TASK,
            {
                "projects": [{"project": "7", "pipeline_id": 6, "gates": gates}],
                "strategy": "fail_fast",
                "log_lines": 5,
                **paths,
                "wait_timeout": 60.0,
            },
            transport=transport,
            progress=progress,
        )
        assert "nexpected" not in str(outcome.failure)
        assert outcome.changed == bool(transport.writes)
        assert transport.writes in ([], ["POST /projects/7/jobs/42/play"])
        target(float(outcome.changed))
        written = {name: pathlib.Path(path).read_text(encoding="utf-8") for name, path in paths.items()}
    text, page = written["record"], written["report"]
    assert_clean(text.replace("\n", ""))
    for value in strings_in(json.loads(text, parse_constant=no_constant)):
        assert_clean(value.replace("\n", "").replace("\t", ""))
    for content in written.values():
        assert_clean(content.replace("\n", ""))
    for element in ET.fromstring(written["junit"]).iter():
        for value in (element.text or "", *element.attrib.values()):
            assert_clean(value.replace("\n", "").replace("\t", ""))
    shown = Page()
    shown.feed(page)
    assert_clean("".join(shown.shown).replace("\n", ""))
    for line in (*progress.lines, *progress.others, outcome.failure or "-"):
        assert_clean(line)
    if outcome.failure:
        for value in strings_in(outcome.values):
            assert_clean(value.replace("\n", "").replace("\t", ""))


def no_constant(name: str) -> t.NoReturn:
    raise AssertionError(f"{name} is not in JSON")


def strings_in(value: t.Any) -> t.Iterator[str]:
    """Yield every string in a value, including keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings_in(key)
            yield from strings_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings_in(item)


@examples(80)
@given(hostile_fields, PIPELINE_FIELDS)
def test_graph_is_clean_on_a_hostile_server(extra, of_pipeline):
    outcome = run_task(
        gitlab_pipeline_bridges.TASK, {"pipeline_id": 6, "depth": 0}, transport=server(extra, of_pipeline, "")
    )
    assert_clean(outcome.values["graph"].replace("\n", ""), [TOKEN])
    assert TOKEN not in json.dumps(outcome.values)


@pytest.mark.parametrize("path", ["a\0b", "\0", "a/\0/b.txt", "\ud800"])
@pytest.mark.parametrize("option", ["artifact_path", "dest"])
def test_invalid_path_is_refused_before_any_download(tmp_path, option, path):
    transport = FunctionTransport(lambda call: job(status="success"))
    options = {"job_id": 42, "content": "file", "artifact_path": "a", "dest": str(tmp_path), option: path}
    with pytest.raises(GitLabError) as caught:
        run_task(gitlab_job_download.TASK, options, transport=transport)
    assert "nexpected" not in str(caught.value)
    assert any(word in str(caught.value) for word in ("path", "half of a character"))
    assert [line for line in transport.lines if "artifacts" in line] == []


@pytest.mark.parametrize("option", ["record", "report"])
def test_invalid_record_path_is_refused_before_any_request(option):
    transport = FunctionTransport(lambda call: [])
    gates = [{"name": ["*"], "action": "play"}]
    options = {"projects": [{"project": "7", "pipeline_id": 6, "gates": gates}], option: "/tmp/a\0b"}
    with pytest.raises(GitLabError, match="contains a character that a path cannot contain"):
        run_task(gitlab_release_gate.TASK, options, transport=transport)
    assert transport.calls == []
