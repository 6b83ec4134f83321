# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run clients as separate processes and measure them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / ".cache" / "collections"
TOKEN = "bench-token-0123456789"

_LAUNCHER = pathlib.Path(__file__).with_name("launcher.py")
_LONGEST_SECONDS = 600
# The caller's settings for GitLab, proxies, Ansible and CA certificates must not affect the result.
_FOREIGN = ("GITLAB_", "CI_", "JOBGATE_", "ANSIBLE_", "PYTHON", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class CaseError(Exception):
    """A client did not do its work, so its time is meaningless."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A successful process.

    :param ended: time of the monotonic clock, which all processes share.
    :param cpu: user and system seconds of the whole process tree.
    :param peak_mib: peak memory of the largest process in the tree.
    """

    wall: float
    cpu: float
    peak_mib: float
    ended: float
    output: str

    @property
    def reported(self) -> dict[str, t.Any]:
        """Return the last line of the output, parsed as JSON."""
        return t.cast(dict[str, t.Any], json.loads(self.output.splitlines()[-1]))


def clean_environment(**added: str) -> dict[str, str]:
    """Return the environment of a client."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and name.lower() not in _PROXIES
    }
    return {**kept, "LC_ALL": "C.UTF-8", "no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost", **added}


def run(command: t.Sequence[str], *, environment: t.Mapping[str, str] | None = None) -> Run:
    """Run a command and return its measurements.

    :raises CaseError: if it fails.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        report, output = pathlib.Path(name, "report.json"), pathlib.Path(name, "output")
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(report), str(output)]
        process = subprocess.Popen(
            [*launcher, *command],
            cwd=ROOT,
            env=dict(environment or clean_environment()),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            raise CaseError(f"{command[0]} takes more than {_LONGEST_SECONDS} s") from None
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        text = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        values = json.loads(report.read_text(encoding="ascii"))
    if values.pop("status") != 0:
        raise CaseError(f"{pathlib.Path(command[0]).name} fails: {text.strip()[-1500:]}")
    return Run(output=text, **values)


def script(name: str, *arguments: t.Any) -> Run:
    """Run a script of this folder and return its measurements; its arguments and its results are JSON."""
    command = [sys.executable, str(pathlib.Path(__file__).with_name(name)), *map(json.dumps, arguments)]
    return run(command, environment=clean_environment(BENCH_COLLECTIONS=str(COLLECTIONS)))


def expect(what: str, found: t.Any, wanted: t.Any) -> None:
    """Compare what a client did with what it should have done.

    :raises CaseError: if they differ.
    """
    if found != wanted:
        raise CaseError(f"{what}: found {found!r}, wanted {wanted!r}")
