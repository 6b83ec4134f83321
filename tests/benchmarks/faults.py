# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the collection with python-gitlab and ansible.builtin.uri under faults: `python -m tests.benchmarks.faults`.

All clients talk to the same simulator and are judged by the same rules, which are printed above the table.
"""

from __future__ import annotations

import argparse
import collections.abc as c
import concurrent.futures
import logging
import os
import sys
import time

import conftest
from tests.integration.harness import ROOT
from tests.simulator.fixture import Simulator

from . import clients, playbooks, report
from .cases import FEW_PRESETS, TIMEOUT_SECONDS, Case, Outcome, all_cases

URI = "ansible.builtin.uri"
MODULE = "jobgate.gitlab, in playbooks"
_PLAYBOOKS = {URI: playbooks.uri_tasks, MODULE: playbooks.jobgate_tasks}
# The number of runs that share a simulator and, for playbooks, a process.
_CHUNK = 12
# Runs without a fault. A client that fails these is used incorrectly.
_SOUND = [Case("", "", "play"), Case("", "", "retry")]

_NOTES = (
    "After a lost answer python-gitlab and the uri task have no way to tell whether the action was done: neither reads "
    "the job again. GitLab refuses a repeated POST because the first one worked, or, if the played job has ended by "
    "then, starts it once more. A user can add that read.",
    "Both follow redirects as their HTTP libraries do, with the header PRIVATE-TOKEN; the uri task only those of a "
    "GET, and with `follow_redirects: none` not even these.",
    "The uri playbook skips its POST when the job it has read is not in the status for it, which is a success for "
    "Ansible. It has no way to tell that the answer was wrong, or another server's.",
    "GitLab answers a retry with 201, which is the status that the uri task waits for. Faults that put a 200 with "
    "another body in its place therefore end in a failure after the action; one that takes both succeeds there.",
    "Whether a job is started twice depends on how soon it ends, and for the uri task, whose time is real, on how fast "
    "the machine is.",
    "Pauses that a server asks for, and those between attempts, count as time like any other. Those of python-gitlab "
    "come to 102 s with its 10 repetitions; `max_retries` makes them fewer.",
    f"Without the time-out of {TIMEOUT_SECONDS} s that it is given here, python-gitlab waits for as long as a silent "
    "server keeps the connection.",
    "The second origin always answers as job 1000, which is the job of the runs in process. In playbooks each run has "
    "another job, so that a client that compares ids can tell.",
)


def main() -> int:
    """Run the comparison that the command line selects."""
    conftest.link_checkout()  # importing conftest did this already, early enough for the imports after it
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"only the faults {', '.join(FEW_PRESETS)}")
    options = parser.parse_args()
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    # The simulator's server logs clients that disconnect early, as these clients do.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    started = time.monotonic()
    few = all_cases(FEW_PRESETS)
    cases = few if options.quick else all_cases()
    cores = os.cpu_count() or 1
    # In-process runs mostly wait for timeouts; a playbook keeps a core busy.
    results = _run({name: cases for name in clients.CLIENTS}, workers=4 * cores)
    results |= _run({MODULE: few, URI: cases}, workers=cores)
    names = list(clients.CLIENTS)
    results = {name: results[name] for name in (names[0], MODULE, *names[1:], URI)}
    differences = report.difference(results[names[0]], results[MODULE])
    same = f"The collection came to the same end in process and in playbooks in {len(few) - len(differences)} "
    text = report.whole(results, [*_NOTES, f"{same}of {len(few)} runs.", *differences])
    print(text)
    target = ROOT / "build" / "benchmarks" / "faults.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(f"{time.monotonic() - started:.0f} s; written to {target.relative_to(ROOT)}")
    return 0


def _run(work: c.Mapping[str, list[Case]], *, workers: int) -> dict[str, list[Outcome]]:
    """Return the outcomes of each client. The runs are spread over parallel processes."""
    results: dict[str, list[Outcome]] = {name: [] for name in work}
    with concurrent.futures.ProcessPoolExecutor(max_workers=workers) as executor:
        parts = {}
        for name, cases in work.items():
            count = -(-len(cases) // _CHUNK)
            # Take every count-th case, because the slow ones are next to each other.
            for number in range(count):
                parts[executor.submit(run_part, name, cases[number::count])] = name
        for part, name in parts.items():
            results[name] += part.result()
    return results


def run_part(name: str, cases: list[Case]) -> list[Outcome]:
    """Return the outcomes of some runs of a client on a new simulator.

    :raises RuntimeError: if the client does not even work without a fault.
    """
    cases = [*_SOUND, *cases]
    with Simulator() as simulator:
        if name in _PLAYBOOKS:
            outcomes = playbooks.run_cases(simulator, _PLAYBOOKS[name], cases)
        else:
            outcomes = clients.run_cases(simulator, clients.CLIENTS[name], cases)
    for outcome in outcomes[: len(_SOUND)]:
        if outcome.violations() or outcome.failure is not None:
            raise RuntimeError(f"{name} without a fault: {outcome}")
    return outcomes[len(_SOUND) :]


if __name__ == "__main__":
    sys.exit(main())
