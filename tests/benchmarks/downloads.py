# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a large download costs, beside curl: `python -m tests.benchmarks.downloads [--mebibytes 1024] [--rounds 3]`.

The simulator runs in a process of its own. curl and the task gitlab_job_download, which also computes the digest, take
turns; the ratios are those within a round, and the memory is how far the peak of the process lies above its start.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

import yaml

import conftest
from tests.integration.harness import DOWNLOAD as TASK
from tests.integration.harness import ROOT, TOKEN, run_task, world

ADDRESSES = {
    "archive": "/api/v4/projects/group%2Fapp/jobs/1000/artifacts",
    "file": "/api/v4/projects/group%2Fapp/jobs/1000/artifacts/image.raw",
    "log": "/api/v4/projects/group%2Fapp/jobs/1000/trace",
}


class Away:
    """Stands for a simulator in another process, whose clock is its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def advance(self, seconds: float) -> None:
        time.sleep(seconds)

    def come_back(self) -> None:
        """Do nothing: it is not away."""


def main() -> None:
    """Measure, and print a table."""
    conftest.link_checkout()  # the import has done so, too, in time for those that follow it
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.downloads", description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=3, metavar=("URL", "CONTENT", "DEST"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _download_here(*options.one)
        return
    size = options.mebibytes * 1024 * 1024
    files = {"image.raw": {"size": size}}
    scenario = world(
        {"name": "build", "id": 1000, "status": "success", "artifacts": {"files": files}, "log_size": size}
    )
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "scenario.yml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "tests.simulator",
            "--scenario",
            str(folder / "scenario.yml"),
            "--clock",
            "real",
        ]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                _measure(server.stdout.readline().strip(), folder, options.rounds, options.mebibytes)
            finally:
                server.terminate()


def _measure(url: str, folder: pathlib.Path, rounds: int, mebibytes: int) -> None:
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {mebibytes} MiB, {rounds} rounds\n")
    print("| content | curl s | task s | ratio | memory above the start, MiB |\n| --- | ---: | ---: | ---: | ---: |")
    for content, address in ADDRESSES.items():
        rows = []
        for _round in range(rounds):
            started = time.monotonic()
            dest = str(folder / "curl")
            subprocess.run(["curl", "-sSf", "-H", f"PRIVATE-TOKEN: {TOKEN}", "-o", dest, url + address], check=True)
            curl = time.monotonic() - started
            os.unlink(dest)
            arguments = ["--one", url, content, str(folder / "task")]
            command = [sys.executable, "-m", "tests.benchmarks.downloads", *arguments]
            told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
            rows.append((curl, json.loads(told.splitlines()[-1])))
            os.unlink(folder / "task")
        ratio = statistics.median(own["seconds"] / curl for curl, own in rows)
        peak = max(own["mebibytes"] for _curl, own in rows)
        curl = statistics.median(curl for curl, _own in rows)
        own_seconds = statistics.median(own["seconds"] for _curl, own in rows)
        print(f"| {content} | {curl:.2f} | {own_seconds:.2f} | {ratio:.2f} | {peak:.1f} |", flush=True)


def _download_here(url: str, content: str, dest: str) -> None:
    """Run the task in this process, and print its time and the growth of the memory."""
    simulator: t.Any = Away(url)
    options: dict[str, t.Any] = {"project": "group/app", "job_id": 1000}
    # one small task first, so that libraries are loaded and the connection is made
    run_task(simulator, TASK, **options, content="list")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = {"artifact_path": "image.raw"} if content == "file" else {}
    started = time.monotonic()
    result = run_task(simulator, TASK, **options, **path, content=content, dest=dest)
    seconds = time.monotonic() - started
    if result.failure is not None:
        raise SystemExit(result.failure)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "mebibytes": (peak - before) / 1024, "sha256": result["sha256"]}))


if __name__ == "__main__":
    main()
