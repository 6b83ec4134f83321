# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks in Ansible's own worker process, which saves the time to build and start a module.

The results are the same as those of the module. The module itself runs if the task cannot run here: on other hosts, as
another user, with another interpreter, or in the background.
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
from ._clock import WorkerClock
from ._files import file_facts, has_selinux
from ._group_defaults import without_group_defaults
from ._options import given_options, is_on, plain, set_variables
from ._progress import DisplayProgress, terminal_device
from ._shared import shared_transport

Variables = dict[str, t.Any]
Result = dict[str, t.Any]

_FILE_OPTIONS = all_names(FILE_ARGUMENTS)
_INTERPRETER = "ansible_python_interpreter"
_OWN_INTERPRETER = re.compile(r"\s*\{\{\s*ansible_playbook_python\s*\}\}\s*")

# Callbacks whose output programs read, or that print nothing.
_CALLBACKS_WITHOUT_LINES = ("json", "jsonl", "null")


# Workers have no terminal, and Ansible ignores their output after an interruption. The process that loads this file has
# a terminal.
_TERMINAL = terminal_device()

_INVOCATION_SETTING = "INJECT_INVOCATION"
_HAS_INVOCATION_SETTING = _INVOCATION_SETTING in constants.config.get_configuration_definitions()


# Ansible loads this file, and with it requests, pluggy and everything that a task needs, before it forks its workers,
# which inherit it. They also inherit what is created here: the lookup with its documentation, the hooks for tasks
# without extensions, and the default TLS context. Tasks that need them report errors and missing libraries.
lookup_loader.get("jobgate.gitlab.gitlab_job", class_only=True)
with contextlib.suppress(GitLabError):
    plugin_manager(())
    tls_context(ConnectionSettings(api_url=DEFAULT_URL))


class InProcessAction(ActionBase):
    """An action plugin that runs the task of the module with the same name in process, or else the module."""

    TASK: TaskDefinition
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: Variables | None = None) -> Result:
        variables: Variables = dict(task_vars or {})
        super().run(tmp, variables)
        written: Variables = {}
        self._compute_environment_string(written)
        # environment variables of a module are strings
        environment = {name: str(value) for name, value in written.items()}
        template = self._templar.template
        given = without_group_defaults(self.TASK, self._task.args, self._task.module_defaults, template)
        reason = self._why_not_in_process(given, variables, environment)
        if reason:
            Display().v(f"{self._task.action} runs as a module, not in process: {reason}")
        # the environment of a remote host is not known here
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
        # modules run in the folder of the playbook, and paths in options may be relative to it
        with _environment(environment), contextlib.chdir(self._loader.get_basedir()):
            return self._run_here(arguments, variables)

    # ----- in process or as a module -----

    def _why_not_in_process(
        self, given: t.Mapping[str, t.Any], variables: Variables, environment: t.Mapping[str, str]
    ) -> str:
        """Return why the task must run as a module, empty if it can run in process."""
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
        # variables such as PYTHONPATH have no effect on a running process
        for_python = [name for name in environment if name.startswith("PYTHON")]
        if for_python:
            return f"its environment sets {for_python[0]}"
        # modules use Ansible's own code for this
        if self.TASK.has_file_options and (has_selinux() or not _FILE_OPTIONS.isdisjoint(given)):
            return "it sets file attributes"
        return ""

    def _is_own_interpreter(self, variables: Variables) -> bool:
        """Return whether the interpreter of the task is the Python that runs this code."""
        host = self._task.delegate_to
        delegated = (variables.get("ansible_delegated_vars") or {}).get(host) if host else None
        settings = delegated if delegated is not None else variables
        if _OWN_INTERPRETER.fullmatch(str(settings.get(_INTERPRETER))):
            return True  # recommended in the documentation; templating it takes as long as a request to GitLab
        wanted = str(set_variables([_INTERPRETER], settings, self._templar.template).get(_INTERPRETER) or "auto")
        return wanted.startswith("auto") or _is_this_python(os.path.expanduser(wanted))

    def _shows_invocation(self, variables: Variables) -> bool:
        """Return whether results show the options, which is a setting in newer versions of Ansible."""
        return not _HAS_INVOCATION_SETTING or bool(
            constants.config.get_config_value(_INVOCATION_SETTING, variables=variables)
        )

    # ----- running -----

    def _run_here(self, given: t.Mapping[str, t.Any], variables: Variables) -> Result:
        """Run the task in this process and return its result, with the same checks and messages as the module."""
        rules = argument_rules(self.TASK.spec)
        specs = rules["argument_spec"]
        specs.update(FILE_ARGUMENTS if self.TASK.has_file_options else {})
        # since ansible-core 2.22, the validator would hide even short, ordinary values of headers in all output
        rules["argument_spec"] = {name: {**option, "no_log": False} for name, option in specs.items()}
        options = plain(dict(given))
        validated = ArgumentSpecValidator(**rules).validate(options)
        params = dict(validated.validated_parameters)
        secrets = given_secrets(specs, params)
        for secret in secrets if REGISTER_SECRET else ():
            REGISTER_SECRET(secret)
        if validated.error_messages:
            mistake = option_mistake(self.TASK.name, self.TASK.spec, specs, params) or str(validated.errors.msg)
            result = failure(self.TASK, Masker(secrets).line(mistake))
        else:
            result = self._run_task(params, secrets, variables)
        # modules print the same warning
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
        context = TaskContext(
            check_mode=bool(self._task.check_mode),
            clock=WorkerClock(),
            progress=progress,
            transport=shared_transport,
        )
        with _reporting_interruption(progress):
            result = result_of(self.TASK, params, context, secrets=secrets)
        if self.TASK.has_file_options and result.get("dest"):
            result.update(file_facts(result["dest"]))
        return result

    def _progress(self, variables: Variables) -> Progress:
        """Return the progress display; it shows nothing if the output of the task is not wanted."""
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
    """Return a result with hidden secrets, as a module does; most results have none, which their JSON shows faster."""
    text = fast_json_text(result)
    if text is not None and not any(in_json(secret) in text for secret in secrets):
        return result
    return t.cast(Result, remove_values(result, secrets))


def _is_this_python(path: str) -> bool:
    """Return whether a path is that of the Python that runs this code, with the same libraries."""
    if os.path.realpath(path) != os.path.realpath(sys.executable):
        return False
    # interpreters of virtual environments link to the same file, but each has its own libraries
    folder = os.path.dirname(os.path.dirname(os.path.abspath(path)))
    is_virtual = os.path.exists(os.path.join(folder, "pyvenv.cfg"))
    return not is_virtual or os.path.realpath(folder) == os.path.realpath(sys.prefix)


@contextlib.contextmanager
def _reporting_interruption(progress: Progress) -> t.Iterator[None]:
    """If the task is interrupted, show what continues without it, and then let Ansible handle the signal.

    The message must be written at the first of two signals: Ctrl-C reaches the workers and Ansible's main process, and
    the latter then ends its workers with another signal.
    """
    before: dict[int, t.Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    is_main = threading.current_thread() is threading.main_thread()
    # a handler that was not set from Python is None and could not be restored
    keeps_handlers = any(handler in (None, signal.SIG_IGN) for handler in before.values())
    if not isinstance(progress, DisplayProgress) or keeps_handlers or not is_main:
        yield
        return

    is_reporting = False

    def report_and_continue(number: int, _frame: types.FrameType | None) -> None:
        nonlocal is_reporting
        if is_reporting:
            return  # the first signal will end this process
        is_reporting = True
        progress.interrupted()
        is_reporting = False
        # keep the handler of the other signal, which may be pending
        signal.signal(number, before[number])
        signal.raise_signal(number)

    for number in before:
        signal.signal(number, report_and_continue)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _environment(wanted: t.Mapping[str, str]) -> t.Iterator[None]:
    """Set environment variables temporarily, because items of a loop share the process."""
    before = {name: os.environ[name] for name in wanted if name in os.environ}
    try:
        os.environ.update(wanted)
        yield
    finally:
        for name in wanted:
            os.environ.pop(name, None)
        os.environ.update(before)
