# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a task in Ansible's own worker process, which saves the time it takes to build and start a module.

Everything a task can do goes on to work as with the module. Where only the module can do it right, it is the module
that runs: on other hosts, with another user or interpreter, in the background.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
import types
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.basic import remove_values
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible.utils.display import Display

from ..module_utils._ansible.arguments import FILE_ARGUMENTS, argument_rules
from ..module_utils._ansible.result import REGISTER_SECRET, failure, result_of
from ..module_utils._api.connection import ConnectionSettings, tls_context
from ..module_utils._api.errors import GitLabError, UsageError
from ..module_utils._api.forms import in_json
from ..module_utils._api.libraries import fast_json_text
from ..module_utils._api.masking import Masker
from ..module_utils._app.outcome import Progress
from ..module_utils._app.session import TaskContext
from ..module_utils._app.settings import DEFAULT_URL
from ..module_utils._extensions.manager import plugin_manager
from ..module_utils._tasks.definition import TaskDefinition
from ..module_utils._tasks.values.arguments import all_names, given_names
from ..module_utils._tasks.values.hiding import given_secrets, shown_options
from ..module_utils._tasks.values.mistakes import option_mistake
from ._files import file_facts, has_selinux
from ._group_defaults import without_group_defaults
from ._options import given_options, is_on, plain
from ._progress import DisplayProgress, terminal_device
from ._shared import shared_transport

Variables = dict[str, t.Any]
Result = dict[str, t.Any]

_FILE_OPTIONS = all_names(FILE_ARGUMENTS)
_OWN_INTERPRETER = re.compile(r"\s*\{\{\s*ansible_playbook_python\s*\}\}\s*")

# Callbacks whose output is read by programs, or that want none.
_CALLBACKS_WITHOUT_LINES = ("json", "jsonl", "null")


# Workers have no terminal, and when they are interrupted Ansible does not listen to them any more. The process that
# loads this file has one.
_TERMINAL = terminal_device()

_INVOCATION_SETTING = "INJECT_INVOCATION"
_HAS_INVOCATION_SETTING = _INVOCATION_SETTING in constants.config.get_configuration_definitions()


# Ansible loads this file, and with it requests, pluggy and all that a task needs, before it makes the processes of its
# workers, which inherit them. So do they inherit what is made here: the lookup, its documentation read, the hooks for
# tasks without extensions, and the TLS context for the certificate authorities that tasks trust without options. What
# is wrong with them, or missing, is said by the task that needs it.
lookup_loader.get("jobgate.gitlab.gitlab_job", class_only=True)
with contextlib.suppress(GitLabError):
    plugin_manager(())
    tls_context(ConnectionSettings(api_url=DEFAULT_URL))


class InProcessAction(ActionBase):
    """An action plugin that runs the task of the module with its name here, or steps aside for the module."""

    TASK: TaskDefinition
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: Variables | None = None) -> Result:
        variables: Variables = dict(task_vars or {})
        super().run(tmp, variables)
        written: Variables = {}
        self._compute_environment_string(written)
        # the environment of a module has texts alone
        environment = {name: str(value) for name, value in written.items()}
        template = self._templar.template
        given = without_group_defaults(self.TASK, self._task.args, self._task.module_defaults, template)
        reason = self._reason_to_step_aside(given, variables, environment)
        if reason:
            Display().v(f"{self._task.action} runs as a module, not in process: {reason}")
        # what a remote host has in its environment is not known here
        known = {**(os.environ if self._connection.transport == "local" else {}), **environment}
        specs, tokens = self.TASK.spec.arguments, self.TASK.token_options
        try:
            arguments = given_options(specs, tokens, given, variables, known, template)
        except (AnsibleError, UsageError) as exc:
            return failure(self.TASK, str(exc))
        if reason:
            return t.cast(
                Result,
                self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=bool(self._task.async_val)),
            )
        # modules run in the folder of the playbook, to which the paths in options may be relative
        with _environment(environment), contextlib.chdir(self._loader.get_basedir()):
            return self._run_here(arguments, variables)

    # ----- stepping aside -----

    def _reason_to_step_aside(
        self, given: t.Mapping[str, t.Any], variables: Variables, environment: t.Mapping[str, str]
    ) -> str:
        """Return what about the task can be done right by the module only, empty for nothing."""
        if self._task.async_val:
            return "it has async"
        if self._connection.become or getattr(self._task, "become", False):
            return "it has become"
        if self._connection.transport != "local":
            return f"the connection is {self._connection.transport}"
        if not is_on("in_process", variables, self._templar.template):
            return "jobgate_in_process is off"
        if not self._is_own_interpreter(variables):
            return "ansible_python_interpreter is another Python"
        # another search path for Python libraries comes too late for a process that runs
        for_python = [name for name in environment if name.startswith("PYTHON")]
        if for_python:
            return f"its environment has {for_python[0]}"
        # which a module does with all of Ansible's care
        if self.TASK.has_file_options and (has_selinux() or not _FILE_OPTIONS.isdisjoint(given)):
            return "it sets attributes of files"
        return ""

    def _is_own_interpreter(self, variables: Variables) -> bool:
        """Return whether the task is to run with the Python that runs this."""
        host = self._task.delegate_to
        delegated = (variables.get("ansible_delegated_vars") or {}).get(host) if host else None
        raw = (delegated if delegated is not None else variables).get("ansible_python_interpreter")
        if not raw:
            return True
        if _OWN_INTERPRETER.fullmatch(str(raw)):
            return True  # as the documentation recommends it; to template it takes as long as to talk to GitLab
        wanted = str(self._templar.template(raw))
        if wanted.startswith("auto"):
            return True
        return _is_this_python(os.path.expanduser(wanted))

    def _shows_invocation(self, variables: Variables) -> bool:
        """Return whether results show the options, which newer versions of Ansible leave to a setting."""
        return not _HAS_INVOCATION_SETTING or bool(
            constants.config.get_config_value(_INVOCATION_SETTING, variables=variables)
        )

    # ----- running -----

    def _run_here(self, given: t.Mapping[str, t.Any], variables: Variables) -> Result:
        """Return the result of the task, run in this process: by the rules of the module, and in the same words."""
        rules = argument_rules(self.TASK.spec)
        specs = rules["argument_spec"]
        specs.update(FILE_ARGUMENTS if self.TASK.has_file_options else {})
        options = plain(dict(given))
        validated = ArgumentSpecValidator(**rules).validate(options)
        params = dict(validated.validated_parameters)
        secrets = given_secrets(specs, params)
        if validated.error_messages:
            mistake = option_mistake(self.TASK.name, self.TASK.spec, specs, params) or str(validated.errors.msg)
            result = failure(self.TASK, Masker(secrets).line(mistake))
        else:
            result = self._run_task(params, secrets, variables)
        # the validator of a module warns of it
        twice = [
            f"Both option {name} and its alias {key} are set."
            for name, argument in self.TASK.spec.arguments.items()
            for key in given_names(name, argument, options)[1:]
        ]
        if twice:
            result["warnings"] = [*twice, *result.get("warnings", ())]
        if self._shows_invocation(variables):
            result["invocation"] = {"module_args": shown_options(specs, params)}
        return result if REGISTER_SECRET else _without(secrets, result)

    def _run_task(self, params: Variables, secrets: set[str], variables: Variables) -> Result:
        progress = self._progress(variables)
        context = TaskContext(check_mode=bool(self._task.check_mode), progress=progress, transport=shared_transport)
        with _told_of_interruption(progress):
            result = result_of(self.TASK, params, context, secrets=secrets)
        if self.TASK.has_file_options and result.get("dest"):
            result.update(file_facts(result["dest"]))
        return result

    def _progress(self, variables: Variables) -> Progress:
        """Return who is told while the task waits: nobody when its output is not wanted."""
        callback = str(constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK") or "").rpartition(".")[2]
        if (
            self._task.no_log
            or callback in _CALLBACKS_WITHOUT_LINES
            or not all(is_on(name, variables, self._templar.template) for name in ("display_ok_hosts", "progress"))
        ):
            return Progress()
        several = len(variables.get("ansible_play_hosts") or ()) > 1
        host = str(variables.get("inventory_hostname", "")) if several else ""
        return DisplayProgress(Display().display, host, terminal=_TERMINAL)


def _without(secrets: set[str], result: Result) -> Result:
    """Return a result with the secrets hidden, as a module hides them; most have none, as their JSON tells faster."""
    text = fast_json_text(result)
    if text is not None and not any(in_json(secret) in text for secret in secrets):
        return result
    return t.cast(Result, remove_values(result, secrets))


def _is_this_python(path: str) -> bool:
    """Return whether a path leads to the Python that runs this, with the same libraries."""
    if os.path.realpath(path) != os.path.realpath(sys.executable):
        return False
    # virtual environments are links to one file, and each has libraries of its own
    folder = os.path.dirname(os.path.dirname(os.path.abspath(path)))
    is_virtual = os.path.exists(os.path.join(folder, "pyvenv.cfg"))
    return not is_virtual or os.path.realpath(folder) == os.path.realpath(sys.prefix)


@contextlib.contextmanager
def _told_of_interruption(progress: Progress) -> t.Iterator[None]:
    """Say when the task is interrupted what goes on without it, and then let Ansible do what it does.

    That has to be said at once, at the first of two signals: Ctrl-C reaches workers and Ansible's main process, which
    ends its workers by another signal.
    """
    before: dict[int, t.Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    is_main = threading.current_thread() is threading.main_thread()
    # a handler that is not of Python is None, and could not be put back
    is_left_alone = any(handler in (None, signal.SIG_IGN) for handler in before.values())
    if not isinstance(progress, DisplayProgress) or is_left_alone or not is_main:
        yield
        return

    is_saying = False

    def say_and_go_on(number: int, _frame: types.FrameType | None) -> None:
        nonlocal is_saying
        if is_saying:
            return  # the first signal ends this process anyway
        is_saying = True
        progress.interrupted()
        is_saying = False
        # the other signal may be waiting for its handler, which stays
        signal.signal(number, before[number])
        signal.raise_signal(number)

    for number in before:
        signal.signal(number, say_and_go_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _environment(wanted: t.Mapping[str, str]) -> t.Iterator[None]:
    """Set environment variables for a while; items of a loop share the process, so they are put back."""
    before = {name: os.environ[name] for name in wanted if name in os.environ}
    try:
        os.environ.update(wanted)
        yield
    finally:
        for name in wanted:
            os.environ.pop(name, None)
        os.environ.update(before)
