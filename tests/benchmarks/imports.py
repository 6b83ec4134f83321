# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the import of each module, action and lookup: `python -m tests.benchmarks.imports [--rounds 5]`.

Each import runs in a fresh interpreter. What Ansible has loaded before does not count: `ansible.module_utils.basic` for
a module, and for a plugin everything that ansible-playbook loads, including Ansible's loader, which compiles the files
of a collection each time. The shortest time of all rounds counts, because any disturbance only adds to it.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_PLUGINS = "ansible_collections.jobgate.gitlab.plugins"
# How Python finds the collection: a module imports it like any other package.
_MODULE_SEARCH = "sys.path.insert(0, {path!r})"
_PLUGIN_SEARCH = "from ansible.plugins.loader import init_plugin_loader; init_plugin_loader([{path!r}])"
# What is already loaded, by kind of file.
_PLAYBOOK = (
    "ansible.cli.playbook, ansible.executor.task_executor, ansible.plugins.strategy.linear, ansible.plugins.action, "
    "ansible.plugins.lookup"
)
BASES: t.Mapping[str, str] = {"modules": "ansible.module_utils.basic", "action": _PLAYBOOK, "lookup": _PLAYBOOK}
# Variables that affect what is loaded: the addresses of the server, its CA certificates, and coverage.
_UNWANTED = ("GITLAB_API_URL", "CI_API_V4_URL", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "COVERAGE_PROCESS_START")

_MARK = "-- from here on --"
_PROGRAM = """\
import sys
import {base}
{search}
before = set(sys.modules)
print({mark!r}, file=sys.stderr, flush=True)
import {name}
print({mark!r}, file=sys.stderr, flush=True)
import json
print(json.dumps(sorted(set(sys.modules) - before)))
"""
_LINE = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \|\s*(\S+)")


@dataclasses.dataclass(frozen=True)
class Import:
    """The effect of an import.

    :param loaded: modules that were not loaded before.
    :param packages: milliseconds per package, by name; the whole collection is one package.
    """

    name: str
    loaded: tuple[str, ...]
    packages: t.Mapping[str, float]

    @property
    def milliseconds(self) -> float:
        """Return the total time of the import."""
        return sum(self.packages.values())

    @property
    def own(self) -> int:
        """Return the number of files and folders of the collection that it loaded."""
        return sum(one.startswith(f"{_PLUGINS}.") for one in self.loaded)


def files() -> list[str]:
    """Return every module, action and lookup as folder/name."""
    found = [path for kind in BASES for path in sorted((_ROOT / "plugins" / kind).glob("*.py"))]
    return [f"{path.parent.name}/{path.stem}" for path in found if path.stem != "__init__"]


def import_of(file: str, search_path: str) -> Import:
    """Import a file in a fresh interpreter and return the effect.

    :param search_path: the folder that contains ansible_collections.
    """
    kind, _slash, name = file.partition("/")
    search = (_MODULE_SEARCH if kind == "modules" else _PLUGIN_SEARCH).format(path=search_path)
    program = _PROGRAM.format(search=search, base=BASES[kind], mark=_MARK, name=f"{_PLUGINS}.{kind}.{name}")
    environment = {key: value for key, value in os.environ.items() if key not in _UNWANTED}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{file} cannot be imported: {done.stderr[-1000:]}")
    packages: dict[str, float] = collections.defaultdict(float)
    for line in done.stderr.split(_MARK)[1].splitlines():
        found = _LINE.search(line)
        if found:
            packages[_package(found[3])] += int(found[1]) / 1000
    return Import(file, tuple(json.loads(done.stdout)), dict(packages))


def table(imports: t.Sequence[Import]) -> str:
    """Return a row for each file with its five most expensive packages."""
    lines = ["| file | ms | modules | of them ours | most expensive |", "|---|---:|---:|---:|---|"]
    for one in imports:
        dearest = sorted(one.packages.items(), key=lambda pair: -pair[1])[:5]
        shown = ", ".join(f"{name} {cost:.1f}" for name, cost in dearest)
        lines.append(f"| {one.name} | {one.milliseconds:.0f} | {len(one.loaded)} | {one.own} | {shown} |")
    return "\n".join(lines)


def _package(module: str) -> str:
    return "the collection" if module.startswith("ansible_collections") else module.partition(".")[0]


def main() -> None:
    """Measure the imports and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.imports", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    path = str(_ROOT / ".cache" / "collections")
    best = []
    for file in files():
        best.append(min((import_of(file, path) for _round in range(rounds)), key=lambda one: one.milliseconds))
        print(f"  {file}: {best[-1].milliseconds:.0f} ms", flush=True)
    print(f"\nPython {sys.version.split()[0]}, above what Ansible has loaded already\n\n{table(best)}")


if __name__ == "__main__":
    main()
