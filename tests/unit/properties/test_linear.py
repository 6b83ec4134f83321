# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processing a string takes time linear in its length, for every regular expression and every output with strings."""

from __future__ import annotations

import ast
import collections
import gc
import pathlib
import re
import sys
import time
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.decoding import server_text
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.masking import Masker, one_line, printable
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.page import render_page
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting import log_tails, logs
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._parsing import parse_artifact

from ..harness import TOKEN

ROOT = pathlib.Path(__file__).resolve().parents[3] / "plugins"
PACKAGE = "ansible_collections.jobgate.gitlab.plugins."
# A string that is eight times as long takes eight times as long, but 64 times as long if the work is quadratic.
# Other load on the machine may make either of the two measurements almost three times as long.
TIMES = 8
MAX_RATIO = 23.0
# Work that is too fast to be measured reliably passes.
LEAST_SECONDS = 0.0005
ROUNDS = 3

UNITS = [
    *" \t\n\r\0\x1b0a_/%&\\<{-;=",
    *("\t ", " \n", "\x1b[", "\x1b]", "\x9b0", "A=", "%2", "%25", "&#", "&amp;", "\\u", "\\u00", "<a>;", "{a"),
    *("section_start:", "section_start:1", "/pipelines/", "/pipelines/1", "/projects/1", "/api/v1", "export "),
    *("\u2028", "\u202e", "2026-01-01", "sha256:", "a/", TOKEN[:9]),
]


def best_seconds(work: t.Callable[[str], object], text: str, rounds: int = ROUNDS) -> float:
    """Return the processor time of this thread in the fastest of some rounds."""
    times = []
    for _round in range(rounds):
        started = time.thread_time()
        work(text)
        times.append(time.thread_time() - started)
    return min(times)


def assert_linear(work: t.Callable[[str], object], make: t.Callable[[int], str], sizes: t.Sequence[int]) -> None:
    """Fail if the time grows much faster than the length of the string.

    The string grows until its time can be measured; work that is fast for the longest string passes. Work that takes
    too long is measured once more.
    """
    gc.disable()
    try:
        for size in sizes:
            short, long = make(size), make(TIMES * size)
            if best_seconds(work, short, rounds=1) < LEAST_SECONDS:
                continue
            for _attempt in range(2):
                seconds = best_seconds(work, short)
                ratio = best_seconds(work, long) / seconds
                if ratio < MAX_RATIO:
                    return
            times = f"{TIMES} times as many take {ratio:.1f} times as long"
            raise AssertionError(f"{size} characters like {short[:20]!r} take {seconds:.4f} s, and {times}")
    finally:
        gc.enable()


# Not longer: from a megabyte of memory on, every access takes longer.
SIZES = (500, 2_000, 8_000)


def repeated(unit: str) -> t.Callable[[int], str]:
    return lambda size: unit * (size // len(unit))


# ----- every pattern in the code -----


class Use(t.NamedTuple):
    """A call of the `re` library with its pattern.

    :param how: `fullmatch` or `match` if it matches only from the beginning of a string, else `sub`.
    """

    where: str
    pattern: str | bytes
    flags: int
    how: str


PATTERN_CALLS = ("compile", "sub", "split", "search", "match", "fullmatch", "findall", "finditer")
# files whose patterns are made at run time, from names with wildcards in options
DYNAMIC_PATTERNS = {"module_utils/_app/jobs/query.py"}


def value_of(node: ast.expr, module: t.Any) -> t.Any:
    """Return the value of a pattern in the code, which may use constants of its module."""
    return eval(compile(ast.Expression(node), "pattern", "eval"), {"re": re, **vars(module)})  # noqa: S307


def patterns() -> list[Use]:
    """Return every pattern in the code; raise an error for one that cannot be evaluated."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if name in DYNAMIC_PATTERNS:
            continue
        source = path.read_text(encoding="utf-8")
        nodes = list(ast.walk(ast.parse(source)))
        names = {node.value: ast.unparse(node.targets[0]) for node in nodes if isinstance(node, ast.Assign)}
        for node in nodes:
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if not is_call or not isinstance(node.func.value, ast.Name) or node.func.value.id != "re":
                continue
            assert node.func.attr in (*PATTERN_CALLS, "escape"), f"{name}: re.{node.func.attr} is not known here"
            module_name = PACKAGE + name[: -len(".py")].replace("/", ".")
            __import__(module_name)
            module = sys.modules[module_name]
            flags = [value_of(argument, module) for argument in node.args[1:] if "re." in ast.unparse(argument)]
            pattern = value_of(node.args[0], module)
            used = {node.func.attr, *re.findall(rf"\b{names.get(node)}\.([a-z]+)\(", source)} - {"compile"}
            how = used.pop() if used in ({"fullmatch"}, {"match"}) else "sub"
            found.append(Use(f"{name}:{node.lineno}", pattern, int(flags[0]) if flags else 0, how))
    return found


PATTERNS = patterns()


def test_patterns_of_the_code_are_found():
    files = collections.Counter(use.where.partition(":")[0] for use in PATTERNS)
    assert files["module_utils/_api/masking.py"] > 5
    assert len(files) > 5


@pytest.mark.parametrize("use", PATTERNS, ids=[use.where for use in PATTERNS])
def test_every_pattern_takes_linear_time(use):
    compiled = re.compile(use.pattern, use.flags)

    def work(text: str) -> None:
        subject = text if isinstance(use.pattern, str) else text.encode()
        if use.how == "sub":
            compiled.sub(subject[:0], subject)
        else:
            getattr(compiled, use.how)(subject)

    for unit in UNITS:
        assert_linear(work, lambda size, unit=unit: repeated(unit)(size) + "!", SIZES)


def test_quadratic_pattern_is_detected():
    breaks = re.compile(r"\s*[\n\u2028]\s*")
    with pytest.raises(AssertionError, match="characters like"):
        assert_linear(lambda text: breaks.sub("", text), repeated(" "), SIZES)


# ----- outputs made of strings -----

MASKER = Masker([TOKEN, "hunter2-hunter2"])


def follow_log(text: str) -> None:
    lines: list[str] = []
    growing = logs._GrowingText(lines.append, MASKER)
    growing.write(text.encode())
    growing.flush()


def server_error(text: str) -> str:
    return server_text({"message": text}, MASKER)


def page(text: str) -> str:
    gate = {
        "name": text, "action": text, "require": text, "outcome": text, "reason": text, "changed": True,
        "job_variables": [], "jobs": [], "queued": 0, "elapsed": 0, "log_tail": [text],
    }  # fmt: skip
    project = {
        "name": text,
        "outcome": text,
        "pipeline": None,
        "needs": [],
        "gates": [gate],
        "pipelines": [],
        "jobs": [],
    }
    head = dict.fromkeys(("user", "host", "server", "strategy", "message", "role", "version", "outcome", "title"), text)
    times = {
        "started_at": text,
        "elapsed": 0.0,
        "check_mode": False,
        "warnings": [text],
        "requests": {"count": 1, "throttled": 0, "paced_seconds": 0.0},
    }
    return render_page({**head, **times, "projects": [project]})


WORK: dict[str, t.Callable[[str], object]] = {
    "mask": MASKER.mask,
    "line": MASKER.line,
    "value": lambda text: MASKER.shown_value({text: [text]}),
    "beginning": MASKER.mask_beginning,
    "printable": printable,
    "one line": one_line,
    "followed log": follow_log,
    "tail of a log": lambda text: log_tails.tail_of(text, 20, MASKER),
    "server text": server_error,
    "dotenv": lambda text: parse_artifact(f"A={text}".encode(), "dotenv", "x"),
    "page": page,
}
TEXTS = [
    " ",
    "\n ",
    "\r",
    "\x00",
    "\x1b[",
    "\x9b0",
    "%41",
    "&#65;",
    "\\u0041",
    "\\",
    "<",
    "\u202e",
    TOKEN,
    TOKEN[:9],
    "section_start:1:",
]


@pytest.mark.parametrize("name", WORK)
def test_every_output_takes_linear_time(name):
    def work(text: str) -> None:
        try:
            WORK[name](text)
        except Exception as exc:  # rejecting a string takes time, too
            assert "line" in str(exc), exc

    for unit in TEXTS:
        assert_linear(work, repeated(unit), SIZES)


def test_report_of_many_pipelines_takes_linear_time():
    def record(size: int) -> str:
        return str(size)

    def work(text: str) -> None:
        size = int(text)
        pipelines = [
            {
                "id": number,
                "parent_id": number // 2 if number > 1 else None,
                "project": "g/a",
                "path": "t",
                "ref": "main",
            }
            for number in range(1, size + 1)
        ]
        jobs = [
            {
                "id": number, "pipeline_id": number, "name": "j", "status": "success", "attempt": 1,
                "started_at": f"{2000 + number % 900:04d}-01-01T00:{number % 60:02d}:00Z", "duration": 0,
            }
            for number in range(1, size + 1)
        ]  # fmt: skip
        project = {
            "name": "a", "outcome": "passed", "pipeline": None, "needs": [], "gates": [], "pipelines": pipelines,
            "jobs": jobs,
        }  # fmt: skip
        head = dict.fromkeys(
            ("user", "host", "server", "strategy", "message", "role", "version", "outcome", "title"), "x"
        )
        times = {
            "started_at": None,
            "elapsed": 0.0,
            "check_mode": False,
            "warnings": [],
            "requests": {"count": 1, "throttled": 0, "paced_seconds": 0.0},
        }
        render_page({**head, **times, "projects": [project]})

    assert_linear(work, record, (200,))
