# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the collection against a real GitLab: `python -m tests.live --url URL --project group/app [--write]`.

The token is read from the variable GITLAB_TOKEN. Without `--write`, nothing is changed in GitLab. The report contains
neither the server nor the project, so that it can be attached to an issue.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import platform
import sys
import traceback
import typing as t

import yaml

import conftest

from .runner import Runner, Target
from .scenarios import SCENARIOS, Scenario, SkippedError

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Row(t.NamedTuple):
    """The result of a scenario."""

    title: str
    outcome: str
    reason: str
    requests: tuple[str, ...]


def main() -> int:
    """Run the scenarios, write the report, and return 1 if any scenario failed."""
    conftest.link_checkout()  # importing conftest has already done this, in time for the imports after it
    options = parse()
    token = os.environ.get("GITLAB_TOKEN", "")
    if not token:
        print("No token: set GITLAB_TOKEN, with the scope read_api, or api for --write.", file=sys.stderr)
        return 2
    target = Target(options.url, token, options.project, options.ref)
    rows, server = [], {}
    for scenario in SCENARIOS:
        if scenario.writes and not options.write:
            continue
        runner = Runner(target)
        row = run(scenario, runner)
        server.update(runner.notes.server)
        rows.append(row)
        print(f"{row.outcome:8} {row.title}{f': {row.reason}' if row.reason else ''}", flush=True)
    text = report(rows, server, target, has_written=options.write)
    path = pathlib.Path(options.report)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"\nThe report is in {path}. Read it before you attach it to an issue.")
    return 1 if any(row.outcome == "failed" for row in rows) else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make check-live", description=__doc__)
    parser.add_argument("--url", default=os.environ.get("GITLAB_API_URL", "https://gitlab.com"))
    parser.add_argument("--project", required=True, help="path or id")
    parser.add_argument("--ref", default="main", help="branch or tag whose newest pipeline is looked at")
    parser.add_argument("--write", action="store_true", help="also play, retry, cancel and erase jobs of gitlab-ci.yml")
    parser.add_argument("--report", default=str(ROOT / "build" / "live.md"))
    return parser.parse_args()


def run(scenario: Scenario, runner: Runner) -> Row:
    """Run a scenario, and return its row."""
    outcome, reason = "passed", ""
    try:
        scenario.check(runner)
    except SkippedError as exc:
        outcome, reason = "skipped", str(exc)
    except AssertionError as exc:
        outcome, reason = "failed", str(exc)
    except Exception:  # bugs of this program also belong in the report
        outcome, reason = "failed", traceback.format_exc(limit=3)
    return Row(scenario.title, outcome, reason, tuple(runner.notes.lines))


def report(rows: t.Sequence[Row], server: t.Mapping[str, str], target: Target, *, has_written: bool) -> str:
    """Return the report as Markdown, without the target's addresses."""
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    kind = "reading and writing" if has_written else "reading"
    lines = [
        "# jobgate.gitlab against a real GitLab",
        "",
        f"jobgate.gitlab {version}, Python {platform.python_version()}, {kind}.",
        "GitLab version: (please fill in)",
        "",
        "| Scenario | Outcome | Requests |",
        "| --- | --- | ---: |",
        *(f"| {row.title} | {row.outcome} | {len(row.requests)} |" for row in rows),
        "",
        "Headers of answers:",
        "",
        *(f"    {name}: {value}" for name, value in sorted(server.items())),
    ]
    for row in rows:
        if row.reason:
            lines += ["", f"## {row.title}: {row.outcome}", "", *(f"    {line}" for line in row.reason.splitlines())]
        if row.outcome == "failed":
            lines += ["", "Requests:", "", *(f"    {line}" for line in row.requests)]
    return without_addresses("\n".join(lines) + "\n", target)


def without_addresses(text: str, target: Target) -> str:
    """Return a text without the token and the addresses of the target."""
    host = target.url.partition("://")[2].partition("/")[0]
    known = {target.token: "TOKEN", target.url: "URL", host: "HOST", target.project: "PROJECT"}
    known[target.project.replace("/", "%2F")] = "PROJECT"
    for value, word in sorted(known.items(), key=lambda item: -len(item[0])):
        # a numeric ID is part of too many other numbers
        if value and not value.isdigit():
            text = text.replace(value, word)
    return text


if __name__ == "__main__":
    sys.exit(main())
