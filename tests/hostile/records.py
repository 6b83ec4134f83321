# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows about the content of valid responses: IDs, names, statuses, times, and nested values."""

from __future__ import annotations

import typing as t

from tests.unit.harness import TOKEN, bridge, job, pipeline

from .server import ARTIFACT, Question
from .table import Row, Say, body, fields, listed

MIB = 1024 * 1024
JOBS = ("info", "action", "gate")
PIPES = ("pipeline", "pipelines")
CODES = "de\x9b31mp\x85l\x1b[2Joy \u202egnp\u2066\x07\u200b\ufeff"
NESTED: t.Any = "x"
for _level in range(90):
    NESTED = [NESTED]

# invalid IDs are reported
NO_IDS = ("42", 42.0, 4.2, None, True, [], {}, "", "x", [42])
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


def of_jobs(end: t.Any = "either", **changes: t.Any) -> Row:
    """Change all jobs."""
    return Row(fields(**changes), end, JOBS)


def of_pipelines(end: t.Any = "either", **changes: t.Any) -> Row:
    """Change all pipelines."""
    return Row(fields(PIPES, **changes), end, (*JOBS, "bridges"))


def named(name: str, value: t.Any) -> str:
    """Return the name of a row."""
    return f"{name} {ascii(value)[:40]}{'...' if len(ascii(value)) > 40 else ''}"


def content(text: bytes) -> Say:
    """Send this as an artifact and as a log."""
    return body(text, "application/octet-stream", ("file", "log"))


def many(count: int) -> Say:
    """Send many jobs."""
    return listed(lambda records: [job(1000 + number, "success", f"job {number}") for number in range(count)])


def below_itself(question: Question) -> bytes:
    """Send a trigger job whose downstream pipeline is its own pipeline."""
    if question.kind != "bridges":
        return question.answer.raw
    return question.answer.with_content([bridge(50, downstream=pipeline(6))]).raw


def deeper_and_deeper(question: Question) -> bytes:
    """Send a trigger job below each pipeline, at any depth."""
    if question.kind != "bridges":
        return question.answer.raw
    number = int(question.target.partition("/pipelines/")[2].partition("/")[0])
    return question.answer.with_content([bridge(50, downstream=pipeline(number + 100))]).raw


RECORDS: dict[str, Row] = {
    **{named("id", value): of_jobs("sentence", id=value) for value in NO_IDS},
    **{named("id", value): of_jobs(id=value) for value in IDS},
    **{named("name", value): of_jobs(name=value) for value in NAMES},
    **{named("name", value): of_jobs("sentence", name=value) for value in (1, None, [], {}, True)},
    **{named("status", value): of_jobs(status=value) for value in STATUSES},
    **{named("started_at", value): of_jobs(started_at=value, finished_at=value, erased_at=value) for value in TIMES},
    **{named("duration", value): of_jobs(duration=value, queued_duration=value) for value in NUMBERS},
    **{named("pipeline id", value): of_pipelines(id=value) for value in NO_IDS},
    **{named("pipeline", value): of_jobs(pipeline=value) for value in (None, [], {}, "6", 6, {"id": "6"}, [[[]]])},
    **{
        named("runner", value): of_jobs(runner=value)
        for value in ("x", [], {"description": CODES}, {"description": []})
    },
    **{named("tag_list", value): of_jobs(tag_list=value) for value in ("x", {}, [None], [[["x"]]], [CODES], 1)},
    **{named("user", value): of_jobs(user=value) for value in ("x", [], {"id": "x"}, {"username": CODES}, {"id": {}})},
    **{named("ref", value): of_pipelines(ref=value) for value in (CODES, None, [], "", "x" * 10_000, TOKEN)},
    **{
        named("artifacts", value): of_jobs(artifacts=value, artifacts_file=value)
        for value in ("x", {}, [None], [[]], 1)
    },
    **{
        named("reports", value): Row(fields(artifacts=value), "either", OF_REPORTS)
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
        named("approvals", value): Row(
            fields(("deployment", "deployments"), approvals=value, approval_summary=value, environment=value),
            "either",
            ("deployments", "approval"),
        )
        for value in ("x", {}, [None], [[]], 1, {"rules": "x"}, {"rules": [{"required_approvals": "x"}]}, CODES)
    },
    "no id": of_jobs("sentence", id=...),
    "no name": of_jobs("sentence", name=...),
    "no status": of_jobs(status=...),
    "no pipeline": of_jobs(pipeline=...),
    "a record of 90 levels": of_jobs(extra=NESTED),
    "a record with the token as a name": of_jobs(**{TOKEN: 1}),
    "a record with a name of codes": of_jobs(**{CODES: CODES}),
    "a record of 1 MiB": of_jobs(commit={"message": "x" * MIB}),
    "an address of a script": of_jobs(web_url="javascript:alert(1)"),
    "an address that is none": of_jobs(web_url="http://["),
    "an address of codes": of_jobs(web_url=f"https://h/{CODES}"),
    "a reason of codes": of_jobs(status="failed", failure_reason=CODES),
    "a reason that is none": of_jobs(status="failed", failure_reason={"a": [1]}),
    "all jobs are one": Row(listed(lambda records: records[:1] * 50), "either", JOBS),
    "2,000 jobs": Row(many(2000), "either", ("info", "gate")),
    "the same jobs, ids reversed": Row(listed(lambda records: records[::-1]), "either", JOBS),
    "a list in an object": Row(listed(lambda records: {"data": records}), "sentence", JOBS),
    "a record that is none among jobs": Row(listed(lambda records: [*records, None]), "sentence", JOBS),
    "a pipeline below itself": Row(below_itself, "either", ("bridges", "gate")),
    "pipelines without an end": Row(deeper_and_deeper, "either", ("bridges", "gate")),
    "an allow_failure of words": of_jobs(status="failed", allow_failure="no"),
    "a pipeline with codes in its errors": of_pipelines(status="failed", yaml_errors=CODES * 50),
    "a pipeline of another project": of_pipelines(project_id="x", web_url="//"),
}

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%b]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(8)
)
OF_FILES = ("lookup of a file", "lookup of a log", "download of a log", "download of a report")
CONTENTS: dict[str, Row] = {
    named("content", text): Row(content(text), "either", OF_FILES)
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
