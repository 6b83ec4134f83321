# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the EXAMPLES of a plugin as one playbook: each play checks, runs, checks again and runs again one example."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import pathlib
import typing as t

import yaml

from tests.contract.support import COLLECTION, TASKS, documentation
from tests.integration.harness import ROOT, play
from tests.simulator.certificates import Authority

from .needs import COMMON, NEEDS, Need
from .server import JOB_TOKEN, OAUTH_TOKEN, SECRETS, TOKEN, TRIGGER_TOKEN, Server, World, install_extensions
from .worlds import RELEASE_COMMIT, changed_world

Task = dict[str, t.Any]

# The plugins with examples, and their types.
SOURCES = {**dict.fromkeys(sorted(TASKS), "module"), "gitlab_job": "lookup"}

# Modules whose `wait_interval` can be shortened, because the clock of the simulator runs sixty times as fast.
WAITING = (
    "gitlab_job_info",
    "gitlab_job_action",
    "gitlab_pipeline",
    "gitlab_pipeline_bridges",
    "gitlab_pipeline_info",
    "gitlab_release_gate",
)
# Modules that change something on the server, regardless of their options.
ACTING = ("gitlab_job_action", "gitlab_pipeline", "gitlab_deployment_approval")


@dataclasses.dataclass(frozen=True)
class Example:
    """A task that uses the collection, with the tasks after it that show its result."""

    source: str
    name: str
    tasks: list[Task]

    @property
    def need(self) -> Need:
        return NEEDS.get(self.name, COMMON)


def examples_of(source: str) -> list[Example]:
    """Return the examples of a plugin, in order."""
    examples: list[Example] = []
    for task in yaml.safe_load(documentation(source, SOURCES[source]).examples):
        if f"{COLLECTION}." in yaml.safe_dump(task, width=10000) or not examples:
            examples.append(Example(source, task["name"], []))
        examples[-1].tasks.append(task)
    return examples


def own_module(task: Task) -> str | None:
    """Return the name of the module of this collection that a task runs."""
    return next((key.rpartition(".")[2] for key in task if key.startswith(f"{COLLECTION}.")), None)


def does_change(task: Task) -> bool:
    """Return whether the first run of a task changes something, judging by its options."""
    module = own_module(task)
    options = task[f"{COLLECTION}.{module}"] or {}
    if module == "gitlab_release_gate":
        actions = {gate["action"] for project in options["projects"] for gate in project["gates"]}
        return bool(actions & {"play", "retry", "run"})
    if module == "gitlab_job_download":
        return "dest" in options
    return module in ACTING


class Playbook:
    """Creates a playbook from all examples of a plugin.

    :param folder: root folder, in place of `/`, for the playbook and for the files that the examples write.
    """

    def __init__(self, server: Server, folder: pathlib.Path) -> None:
        self._folder = folder
        self._server, self._url = server, server.url
        valid_url, self.ca_path = server.tls("valid")
        self._authority = Authority()
        client_files = map(str, self._authority.client_files())
        self._places = {
            "https://gitlab.example.com": valid_url,
            "https://localhost:8443/gitlab": server.tls("self_signed")[0],
            "/etc/ssl/certs/example-ca.pem": self.ca_path,
            "/etc/ssl/certs/company.pem": self.ca_path,
            **dict(zip(("/etc/ssl/private/ci.pem", "/etc/ssl/private/ci.key"), client_files, strict=True)),
        }
        self._folders = ("/srv/", "/usr/local/bin/", "/var/log/releases/", "/etc/app.yml", "/tmp/")

    def write(self, source: str) -> pathlib.Path:
        """Write a playbook with all examples of a plugin, and return its path."""
        for name in (
            "srv/releases",
            "srv/reports",
            "srv/app",
            "srv/infra",
            "srv/www",
            "srv/images",
            "usr/local/bin",
            "var/log/releases",
        ):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        for name in ("tmp", "etc", "worlds"):
            (self._folder / name).mkdir(exist_ok=True)
        plays = [self._play(example, number) for number, example in enumerate(examples_of(source))]
        path = self._folder / f"{source}.yml"
        path.write_text(
            yaml.safe_dump([*plays, final_play(len(plays))], sort_keys=False, width=10000), encoding="utf-8"
        )
        return path

    def environment(self) -> dict[str, str]:
        """Return the environment variables that the examples use."""
        return {
            "GITLAB_TOKEN": TOKEN,
            "GITLAB_USER_LOGIN": "alice",
            "CI_JOB_TOKEN": JOB_TOKEN,
            "CI_PROJECT_ID": "1",
            "CI_PIPELINE_ID": "12",
            # for the example that chooses its connection in an expression without ca_path
            "REQUESTS_CA_BUNDLE": self.ca_path,
        }

    def _play(self, example: Example, number: int) -> dict[str, t.Any]:
        need = example.need
        content = need.world() if need.world else changed_world(need.jobs)
        world = self._folder / "worlds" / f"{example.source}-{number}.json"
        world.write_text(json.dumps(content), encoding="utf-8")
        tasks = self._placed(copy.deepcopy(example.tasks))
        for task in inner_tasks(tasks):
            module = own_module(task)
            for option in need.without if module else ():
                task[f"{COLLECTION}.{module}"].pop(option)
        return {
            "name": f"{example.source}: {example.name}",
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "release_commit": RELEASE_COMMIT,
                "gateway_pass": "example-pass",
                "gitlab_token": TOKEN,
                "gitlab_oauth_token": OAUTH_TOKEN,
                "oauth_token": OAUTH_TOKEN,
                "job_token": JOB_TOKEN,
                "trigger_token": TRIGGER_TOKEN,
                "build_job_id": 1002,
                "release_notes_folder": str(self._folder / "tmp"),
                **({"release_sha256": self._checksum(content, need.sha256_of)} if need.sha256_of else {}),
            },
            "module_defaults": {f"{COLLECTION}.{name}": {"wait_interval": 0.1} for name in WAITING if name in TASKS},
            "tasks": [
                {
                    "name": "Run the example",
                    "block": [load_task(self._url, world), *self._rounds(example, tasks)],
                    "rescue": [note_failure(example)],
                }
            ],
        }

    def _checksum(self, world: World, job_id: int) -> str:
        self._server.load(world)
        return self._server.sha256(job_id)

    def _placed(self, value: t.Any) -> t.Any:
        """Return a value whose example addresses and paths are replaced with real ones."""
        if isinstance(value, dict):
            return {key: self._placed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._placed(inner) for inner in value]
        if not isinstance(value, str):
            return value
        for shown, real in self._places.items():
            if shown in value:
                return value.replace(shown, real)
        if value.startswith(self._folders):
            return f"{self._folder}{value}"
        # relative paths would be relative to the working directory of the process
        return str(self._folder / value) if value == "build.zip" else value

    def _rounds(self, example: Example, tasks: list[Task]) -> t.Iterator[Task]:
        need = example.need
        effects = list(need.effects) if need.effects is not None else None
        acts = any(own_module(task) in ("gitlab_job_action", "gitlab_pipeline") for task in inner_tasks(tasks))
        once: list[Task] = [expect_effects(self._url, effects)] if acts or effects is not None else []
        changed = list(need.changed) if need.changed is not None else None
        yield checked(tasks, changed)
        yield expect_effects(self._url, [])
        yield from with_expectations(tasks, changed)
        yield from once
        yield checked(tasks, changed if need.again else [])
        yield from with_expectations(tasks, changed if need.again else [])
        if need.again and effects is not None:
            effects = effects * 2
        if once:
            yield expect_effects(self._url, effects, at_most=need.again)


def run_examples(source: str, server: Server, folder: pathlib.Path) -> None:
    """Run all examples of a plugin.

    :raises AssertionError: with all examples that failed.
    """
    playbook = Playbook(server, folder)
    environment = {
        **playbook.environment(),
        # ROOT is for the lookup
        "PYTHONPATH": os.pathsep.join((str(install_extensions(folder / "site")), str(ROOT))),
        "ANSIBLE_LOOKUP_PLUGINS": str(pathlib.Path(__file__).parent / "lookup_plugins"),
    }
    done = play(playbook.write(source), folder, url=server.url, token="", secrets=SECRETS, environment=environment)
    assert done.returncode == 0, done.results.get("No example has failed", {}).get("msg", done.output[-4000:])


def inner_tasks(tasks: list[Task]) -> t.Iterator[Task]:
    for task in tasks:
        yield from inner_tasks(task["block"]) if "block" in task else (task,)


def with_expectations(tasks: list[Task], changed: list[str] | None) -> t.Iterator[Task]:
    """Yield the tasks, each task of this collection followed by a check of whether it reported a change.

    :param changed: names of the tasks that report a change; None to derive it from their options.
    """
    for task in copy.deepcopy(tasks):
        if "block" in task:
            yield {**task, "block": list(with_expectations(task["block"], changed))}
            continue
        if own_module(task) is None:
            yield task
            continue
        expected = does_change(task) if changed is None else task["name"] in changed
        register = task.setdefault("register", "shown")
        yield task
        yield {
            "name": f"It {'has' if expected else 'has not'} changed something",
            "ansible.builtin.assert": {"that": f"{register} is {'' if expected else 'not '}changed", "quiet": True},
        }


def checked(tasks: list[Task], changed: list[str] | None) -> Task:
    """Return the tasks of this collection in check mode, without tasks that need results of a real run."""

    def own_tasks(these: list[Task]) -> list[Task]:
        kept = [{**task, "block": own_tasks(task["block"])} if "block" in task else task for task in these]
        return [task for task in kept if "block" in task or own_module(task)]

    block = list(with_expectations(own_tasks(copy.deepcopy(tasks)), changed))
    return {"name": "Predict", "check_mode": True, "block": block or [{"ansible.builtin.meta": "noop"}]}


def load_task(url: str, world: pathlib.Path) -> Task:
    that = f"query('simulator', '{url}', '{world}') == []"
    return {"name": "Load the world", "ansible.builtin.assert": {"that": that, "quiet": True}}


def expect_effects(url: str, effects: list[str] | None, *, at_most: bool = False) -> Task:
    """Return a task that compares the changes on the server with these.

    :param effects: actions with names of jobs or projects, in any order; None for at least one.
    """
    found = f"query('simulator', '{url}')"
    that = f"{found} | length > 0" if effects is None else f"{found} | sort == {sorted(effects)!r}"
    return {
        "name": "Look at what was changed on the server",
        "ansible.builtin.assert": {
            "that": that,
            "fail_msg": f"{{{{ {found} }}}}, expected {effects!r}",
            "quiet": True,
        },
    }


def note_failure(example: Example) -> Task:
    message = "{{ ansible_failed_task.name }}: {{ ansible_failed_result.msg | default('no message') }}"
    return {
        "name": "Note that it has failed",
        "ansible.builtin.set_fact": {
            "failed_examples": "{{ failed_examples | default([]) + [example_name ~ ': ' ~ message] }}"
        },
        "vars": {"example_name": example.name, "message": message},
    }


def final_play(count: int) -> dict[str, t.Any]:
    return {
        "name": f"Say whether all {count} examples have done what they say",
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "tasks": [
            {
                "name": "No example has failed",
                "ansible.builtin.assert": {
                    "that": "failed_examples | default([]) | length == 0",
                    "fail_msg": "{{ failed_examples | default([]) | join('\n') }}",
                },
            }
        ],
    }
