# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release as Markdown: its table, its logs, and escaping of everything that has a meaning in Markdown."""

from __future__ import annotations

import re

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.summary import render_summary

from .records import a_gate, a_job, a_project, a_record


def rows_of(text):
    """Return the cells of the table, split where GitLab splits them."""
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_summary_is_a_table_of_gates():
    text = render_summary(a_record(title="Version 1.2.0", previous={"elapsed": 50.0}))
    assert text.startswith("## Version 1.2.0: ✓ passed\n")
    assert "took 62 s, last time 50 s" in text
    link = "[job1](<https://gitlab.example.com/g/a/-/jobs/1>) success"
    project = "[app](<https://gitlab.example.com/g/a/-/pipelines/6>)"
    assert rows_of(text) == [[project, "play deploy", "✓ played", link, "62 s"]]


def test_failed_gate_has_its_reason_and_all_logs():
    jobs = [a_job(number, status="failed", log_tail=[f"broken {number}", "```"]) for number in (1, 2)]
    gate = a_gate(outcome="failed", reason="two jobs failed", jobs=jobs)
    missed = a_gate(name="publish", outcome="not reached", elapsed=0.0, jobs=[])
    text = render_summary(
        a_record(a_project(gates=[gate, missed], jobs=jobs), message="It broke.", warnings=["be careful"])
    )
    assert "**It broke.**" in text and "**app, deploy**: two jobs failed" in text and "- be careful" in text
    assert text.count("````text\nbroken ") == 2
    assert rows_of(text)[1] == [
        "[app](<https://gitlab.example.com/g/a/-/pipelines/6>)",
        "play publish",
        "· not reached",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("build_app: [a]", "build_app: [a]"),
        ("<img src=x> @all", "&lt;img src=x&gt; @all"),
        ("a\n\n</code></summary>\n/close", "a &lt;/code&gt;&lt;/summary&gt; /close"),
    ],
)
def test_log_title_is_escaped_as_html(path, shown):
    jobs = [a_job(path=path, status="failed", log_tail=["broken"])]
    text = render_summary(a_record(a_project(gates=[a_gate(outcome="failed", jobs=jobs)], jobs=jobs)))
    # a line that begins with this tag is HTML up to the next empty line, and backslashes in it do not escape
    assert f"\n<details><summary>End of the log of <code>{shown}</code></summary>\n\n```text\n" in text


@pytest.mark.parametrize(
    "name",
    ["a|b", "@all", "x\n/close", "<b>", "#1 !2", "[x](https://evil.example.com)", "`", ":tada:", "a\\|b", "| x |"],
)
def test_markdown_in_names_is_escaped(name):
    text = render_summary(a_record(a_project(name=name, gates=[a_gate(name=name, reason=name)], pipeline=None)))
    (row,) = rows_of(text)
    # every character with a meaning follows a backslash
    assert not re.search(r"(?<!\\)(?:\\\\)*(?:[@<`#!\[\]]|:\w+:|://)", row[0])
    assert re.sub(r"\\(.)", r"\1", row[0]) == name.replace("\n", " ")
    assert not re.search("^/", text, re.MULTILINE)


def test_urls_are_encoded_in_links():
    job = a_job(web_url="https://gitlab.example.com/a b|c>d")
    text = render_summary(a_record(a_project(gates=[a_gate(jobs=[job])])))
    assert "(<https://gitlab.example.com/a%20b%7Cc%3Ed>)" in text
    job = a_job(web_url="javascript:alert(1)")
    assert "javascript" not in render_summary(a_record(a_project(gates=[a_gate(jobs=[job])])))
