# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tail of a log as people want to read it."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.masking import Masker
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting import log_tails
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.log_tails import log_ending, tail_of
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_info import TASK

from ....harness import TOKEN, Exchange, ScriptedTransport, job, reply, run_task


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("", []),
        ("\n\n  \n", []),
        ("one\ntwo\n\n\n", ["one", "two"]),
        ("one\n\ntwo", ["one", "", "two"]),
        ("\x1b[0KRunning\x1b[0;m\n\x1b[32;1m$ make\x1b[0;m\r\n", ["Running", "$ make"]),
        (
            "section_start:1560896352:build[collapsed=true]\r\x1b[0KBuilding\nsection_end:1560896353:build\r\x1b[0K\n",
            ["Building"],
        ),
        ("section_start:1:a.b-c_d\rone\nsection_end:1:a.b-c_d\nab section_end:1:x\r\x1b[0Ktwo", ["one", "", "ab two"]),
        ("see section_start:1:x and section_end:2:y: no", ["see section_start:1:x and section_end:2:y: no"]),
        # a running job
        *((f"one\n{'section_end:1560896353:build'[:cut]}", ["one"]) for cut in (12, 16, 22, 23, 24, 28)),
        *((f"one\nsection_end:1:x\r{rest}", ["one"]) for rest in ("\x1b", "\x1b[", "\x1b[0", "\x1b[0;1")),
        ("10%\r50%\r100%\ndone\r\n", ["100%", "done"]),
        ("2024-05-01T10:00:00.123456Z 00O first\n2024-05-01T10:00:01.123456Z 01E second", ["first", "second"]),
        ("half a character \ufffd", ["half a character \ufffd"]),
        ("\x1b]0;title\x07text", ["text"]),
    ],
)
def test_tail_is_cleaned(log, expected):
    assert tail_of(log, 20, Masker()) == expected


CLEANED = "Cleaning up project directory and file based variables"
UPLOADED = ["Uploading artifacts for failed job", "Uploading artifacts...", "build/: found 2 matching artifact files"]


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (None, ""),
        ([], ""),
        (["no space left"], "no space left"),
        (["no space left", "", "ERROR: Job failed: exit code 1"], "no space left"),
        (["no space left", CLEANED, "ERROR: Job failed: exit status 2"],
         "no space left"),
        (["  no space left ", *UPLOADED, "ERROR: Job failed: command terminated with exit code 137"], "no space left"),
        # these contain the reason
        (["$ make", "ERROR: Job failed: execution took longer than 1h0m0s seconds"],
         "ERROR: Job failed: execution took longer than 1h0m0s seconds"),
        (["$ make", "ERROR: Job failed (system failure): no such image"],
         "ERROR: Job failed (system failure): no such image"),
        (["ERROR: Job failed: exit code 1"], "ERROR: Job failed: exit code 1"),
        (['{"a": "' + "x" * 5000 + '"}', "ERROR: Job failed: exit code 1"], '{"a": "' + "x" * 292 + "…"),
        (["y" * 300], "y" * 300),
    ],
)  # fmt: skip
def test_log_ending_skips_lines_of_the_runner(tail, words):
    assert log_ending(tail) == (f". Its log ends with: {words}" if words else "")


@pytest.mark.parametrize(("lines", "expected"), [(0, []), (1, ["c"]), (2, ["b", "c"]), (9, ["a", "b", "c"]), (-1, [])])
def test_tail_has_at_most_the_requested_lines(lines, expected):
    assert tail_of("a\nb\nc\n", lines, Masker()) == expected


@pytest.mark.parametrize("split_secret", ["\x1b[0m".join(TOKEN), TOKEN.replace("-", "%2D"), TOKEN])
@pytest.mark.parametrize("rest", ["", "\nnext"])
def test_secret_cut_by_the_window_is_not_shown(split_secret, rest):
    for cut in range(1, len(split_secret)):
        shown = "\n".join(tail_of(split_secret[cut:] + " end" * 400 + rest, 20, Masker((TOKEN,)), is_cut=True))
        assert TOKEN[-6:] not in shown and shown.endswith(rest.strip() or "end")


LIST = "GET /projects/7/pipelines/6/jobs"
LOG = "GET /projects/7/jobs/42/trace"


@pytest.mark.parametrize(
    ("answer", "tail", "warns"),
    [
        ("one\ntwo\nthree\n", ["two", "three"], False),
        ("", [], False),
        (f"token {TOKEN}\n", ["token ********"], False),
        (reply({"message": "403 Forbidden"}, status=403), None, True),
    ],
)
def test_log_lines_returns_the_tail(answer, tail, warns):
    transport = ScriptedTransport(Exchange(LIST, [job(42, "failed")]), Exchange(LOG, answer))
    outcome = run_task(TASK, {"pipeline_id": 6, "log_lines": 2}, transport=transport)
    assert outcome.values["job"]["log_tail"] == tail
    assert bool(outcome.warnings) is warns
    assert outcome.failure is None


@pytest.mark.parametrize("more", [1, log_tails.SHORTEST_WINDOW, log_tails.SHORTEST_WINDOW + 1])
def test_secret_cut_at_the_start_of_the_kept_log_is_not_shown(more):
    rest = TOKEN[4:] + "x" * (log_tails.SHORTEST_WINDOW - len(TOKEN[4:]))
    log = "y" * (more - 4) + TOKEN[:4] + rest
    transport = ScriptedTransport(Exchange(LIST, [job(42, "failed")]), Exchange(LOG, log))
    outcome = run_task(TASK, {"pipeline_id": 6, "log_lines": 2}, transport=transport)
    (line,) = outcome.values["job"]["log_tail"]
    assert TOKEN[-6:] not in line and line.endswith("xx")


def test_without_log_lines_no_log_is_read():
    outcome = run_task(TASK, {"pipeline_id": 6}, transport=ScriptedTransport(Exchange(LIST, [job(42, "failed")])))
    assert "log_tail" not in outcome.values["job"]
