# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows about the content of valid responses: IDs, names, statuses, times, and nested values."""

from __future__ import annotations

import typing as t

from tests.unit.harness import TOKEN, bridge, job, pipeline

from .server import ARTIFACT, ReceivedRequest
from .table import Responder, Row, body, fields, listed

MIB = 1024 * 1024
JOBS = ("info", "action", "gate")
PIPELINE_KINDS = ("pipeline", "pipelines")
CODES = "de\x9b31mp\x85l\x1b[2Joy \u202egnp\u2066\x07\u200b\ufeff"
NESTED: t.Any = "x"
for _level in range(90):
    NESTED = [NESTED]

# invalid IDs are reported
INVALID_IDS = ("42", 42.0, 4.2, None, True, [], {}, "", "x", [42])
IDS = (-42, 0, 2**31, 2**63, 2**64, 10**400)
NAMES = (
    CODES,
    "",
    " ",
    "\n",
    "a\nb",
    "a\rb",
    "\u2028",
    "é" * 300,
    "日本",
    "😀",
    "\ud800",
    "x" * 100_000,
    "../../etc/passwd",
    "{{ lookup('pipe', 'id') }}",
    "<script>alert(1)</script>",
    TOKEN,
    TOKEN[:9] + "\0" + TOKEN[9:],
    "%s%n",
    "deploy\0",
    "null",
    "\u0430",
    "i\u0307",
    "a\u0301" * 500,
    "\U000e0041",
    "!unsafe x",
)
OF_REPORTS = ("download of a report",)
STATUSES: tuple[t.Any, ...] = ("SUCCESS", "", "new", CODES, None, 1, [], {}, "x" * 10_000, TOKEN)
TIMES: tuple[t.Any, ...] = (
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "now",
    "",
    0,
    -1,
    1e300,
    {},
    [],
    True,
    "2026-13-45",
    CODES,
    "2026-01-01T00:00:00+99:99",
    "10000-01-01T00:00:00Z",
    "2026-01-01",
    "1969-12-31T23:59:59Z",
)
NUMBERS: tuple[t.Any, ...] = (-1, 1e300, 10**400, True, "1", [], {})


def changed_jobs(end: t.Any = "either", **changes: t.Any) -> Row:
    """Change all jobs."""
    return Row(fields(**changes), end, JOBS)


def changed_pipelines(end: t.Any = "either", **changes: t.Any) -> Row:
    """Change all pipelines."""
    return Row(fields(PIPELINE_KINDS, **changes), end, (*JOBS, "bridges"))


def row_name(name: str, value: t.Any) -> str:
    """Return the name of a row."""
    return f"{name} {ascii(value)[:40]}{'...' if len(ascii(value)) > 40 else ''}"


def content(text: bytes) -> Responder:
    """Send this as an artifact and as a log."""
    return body(text, "application/octet-stream", ("file", "log"))


def many_jobs(count: int) -> Responder:
    """Send many jobs."""
    return listed(lambda records: [job(1000 + number, "success", f"job {number}") for number in range(count)])


def pipeline_below_itself(received: ReceivedRequest) -> bytes:
    """Send a trigger job whose downstream pipeline is its own pipeline."""
    if received.kind != "bridges":
        return received.answer.raw
    return received.answer.with_content([bridge(50, downstream=pipeline(6))]).raw


def endless_downstream_pipelines(received: ReceivedRequest) -> bytes:
    """Send a trigger job below each pipeline, at any depth."""
    if received.kind != "bridges":
        return received.answer.raw
    number = int(received.target.partition("/pipelines/")[2].partition("/")[0])
    return received.answer.with_content([bridge(50, downstream=pipeline(number + 100))]).raw


RECORDS: dict[str, Row] = {
    **{row_name("id", value): changed_jobs("sentence", id=value) for value in INVALID_IDS},
    **{row_name("id", value): changed_jobs(id=value) for value in IDS},
    **{row_name("name", value): changed_jobs(name=value) for value in NAMES},
    **{row_name("name", value): changed_jobs("sentence", name=value) for value in (1, None, [], {}, True)},
    **{row_name("status", value): changed_jobs(status=value) for value in STATUSES},
    **{
        row_name("started_at", value): changed_jobs(started_at=value, finished_at=value, erased_at=value)
        for value in TIMES
    },
    **{row_name("duration", value): changed_jobs(duration=value, queued_duration=value) for value in NUMBERS},
    **{row_name("pipeline id", value): changed_pipelines(id=value) for value in INVALID_IDS},
    **{
        row_name("pipeline", value): changed_jobs(pipeline=value)
        for value in (None, [], {}, "6", 6, {"id": "6"}, [[[]]])
    },
    **{
        row_name("runner", value): changed_jobs(runner=value)
        for value in ("x", [], {"description": CODES}, {"description": []})
    },
    **{row_name("tag_list", value): changed_jobs(tag_list=value) for value in ("x", {}, [None], [[["x"]]], [CODES], 1)},
    **{
        row_name("user", value): changed_jobs(user=value)
        for value in ("x", [], {"id": "x"}, {"username": CODES}, {"id": {}})
    },
    **{row_name("ref", value): changed_pipelines(ref=value) for value in (CODES, None, [], "", "x" * 10_000, TOKEN)},
    **{
        row_name("artifacts", value): changed_jobs(artifacts=value, artifacts_file=value)
        for value in ("x", {}, [None], [[]], 1)
    },
    **{
        row_name("reports", value): Row(fields(artifacts=value), "either", OF_REPORTS)
        for value in (
            ...,
            None,
            [],
            [{}],
            [{"file_type": []}],
            [{"file_type": CODES}],
            [{"file_type": f"junit{TOKEN}"}],
            [{"file_type": "junit"}, {"file_type": "junit", "file_format": "zip"}],
            [{"filename": "../x", "file_type": "junit", "file_format": [], "size": "1"}],
            [{"file_format": "zip", "file_type": "junit", "size": -1}],
            [{"size": 10**400, "file_type": "junit"}],
            [{"file_type": f"t{number}"} for number in range(20_000)],
        )
    },
    **{
        row_name("approvals", value): Row(
            fields(("deployment", "deployments"), approvals=value, approval_summary=value, environment=value),
            "either",
            ("deployments", "approval"),
        )
        for value in ("x", {}, [None], [[]], 1, {"rules": "x"}, {"rules": [{"required_approvals": "x"}]}, CODES)
    },
    "no id": changed_jobs("sentence", id=...),
    "no name": changed_jobs("sentence", name=...),
    "no status": changed_jobs(status=...),
    "no pipeline": changed_jobs(pipeline=...),
    "a record of 90 levels": changed_jobs(extra=NESTED),
    "a record with the token as a key": changed_jobs(**{TOKEN: 1}),
    "a record with a key of codes": changed_jobs(**{CODES: CODES}),
    "a record of 1 MiB": changed_jobs(commit={"message": "x" * MIB}),
    "an address of a script": changed_jobs(web_url="javascript:alert(1)"),
    "an invalid address": changed_jobs(web_url="http://["),
    "an address of codes": changed_jobs(web_url=f"https://h/{CODES}"),
    "a reason of codes": changed_jobs(status="failed", failure_reason=CODES),
    "an invalid reason": changed_jobs(status="failed", failure_reason={"a": [1]}),
    "fifty copies of one job": Row(listed(lambda records: records[:1] * 50), "either", JOBS),
    "2,000 jobs": Row(many_jobs(2000), "either", ("info", "gate")),
    "the same jobs, ids reversed": Row(listed(lambda records: records[::-1]), "either", JOBS),
    "a list in an object": Row(listed(lambda records: {"data": records}), "sentence", JOBS),
    "null among jobs": Row(listed(lambda records: [*records, None]), "sentence", JOBS),
    "a pipeline below itself": Row(pipeline_below_itself, "either", ("bridges", "gate")),
    "endless downstream pipelines": Row(endless_downstream_pipelines, "either", ("bridges", "gate")),
    "a string as allow_failure": changed_jobs(status="failed", allow_failure="no"),
    "a pipeline with codes in its errors": changed_pipelines(status="failed", yaml_errors=CODES * 50),
    "a pipeline of another project": changed_pipelines(project_id="x", web_url="//"),
}

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%b]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(8)
)
OF_FILES = ("lookup of a file", "lookup of a log", "download of a log", "download of a report")
CONTENTS: dict[str, Row] = {
    row_name("content", text): Row(content(text), "either", OF_FILES)
    for text in (
        b"",
        b"\0",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        BOMB,
        b"9" * 5000,
        b'"\\ud800"',
        b"\x1b[2J\x9b",
        TOKEN.encode(),
        b"x" * 5 * MIB,
        b" " * 60_000 + b"x",
        b"section_start:",
        b"\x1b[0Ksection_start:99999999999999999:x\r\x1b[0K",
        b"\r" * 100_000,
        b"{{ 1 }}",
        b"!!python/object:os.system x",
        ARTIFACT + b"\n" + ARTIFACT,
        b"PK\3\4" + b"x" * MIB,
        b"PK\5\6",
    )
}

ROWS: dict[str, Row] = {**RECORDS, **CONTENTS}
