# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions: found by name, called in order, and their failures reported as theirs."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from types import SimpleNamespace
from unittest import mock

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import ExtensionError, UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions import manager
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.hookspecs import hookimpl
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.manager import PluginManager

from ...harness import API, TOKEN, Exchange, ScriptedTransport, installed, new_session


class Namer:
    """Answers gitlab_authenticate with its name, or leaves it to the next extension."""

    def __init__(self, name, answers=True):
        self.name, self.answers, self.was_called = name, answers, False

    @hookimpl
    def gitlab_authenticate(self, settings):
        self.was_called = True
        return {"X-Name": self.name} if self.answers else None


class Raising:
    def __init__(self, error):
        self.error = error

    @hookimpl
    def gitlab_authenticate(self, settings):
        raise self.error


class Misspelt:
    @hookimpl
    def gitlab_authentificate(self, settings):
        return {}


class Unmarked:
    @hookimpl
    def gitlab_request_finished(self):
        pass

    def gitlab_decide_job_action(self, decisions):
        return decisions.refuse("never asked")


class Wrapping:
    """Returns the result that it received, or forgets to."""

    def __init__(self, change=lambda got: None):
        self.change = change

    @hookimpl(wrapper=True)
    def gitlab_authenticate(self, settings):
        return self.change((yield))


class CalledLast(Namer):
    @hookimpl(trylast=True)
    def gitlab_authenticate(self, settings):
        return super().gitlab_authenticate(settings)


class WrongArguments:
    @hookimpl
    def gitlab_authenticate(self, settings, color):
        return {}


SETTINGS = ConnectionSettings(api_url=API, token_kind="api_token", token=TOKEN)


def authenticate(extensions, names=None):
    with installed(extensions):
        made = PluginManager(list(extensions) if names is None else names)
    return made.call("gitlab_authenticate", settings=SETTINGS)


def test_first_named_extension_is_called_first():
    first, second = Namer("first"), Namer("second")
    assert authenticate({"second": second, "first": first}, ["first", "second"]) == {"X-Name": "first"}
    assert not second.was_called


def test_extension_that_returns_none_passes_to_the_next():
    first, second = Namer("first", answers=False), Namer("second")
    assert authenticate({"first": first, "second": second}) == {"X-Name": "second"}
    assert first.was_called


def test_built_in_behavior_comes_last():
    silent = Namer("silent", answers=False)
    assert authenticate({"silent": silent}) == {"PRIVATE-TOKEN": TOKEN}
    assert silent.was_called


def test_built_in_behavior_comes_after_trylast_extensions():
    last, other = CalledLast("last"), Namer("other", answers=False)
    assert authenticate({"last": last, "other": other}) == {"X-Name": "last"}
    assert other.was_called


def test_wrapper_receives_the_result_of_the_others():
    wrapper = Wrapping(lambda got: {**got, "X-More": "1"})
    assert authenticate({"other": Namer("other"), "wrapper": wrapper}) == {"X-Name": "other", "X-More": "1"}


def test_extension_with_two_names_is_loaded_once():
    extension = Namer("a")
    assert authenticate({"old-name": extension, "new-name": extension}) == {"X-Name": "a"}


def test_only_named_extensions_are_loaded():
    assert authenticate({"other": Namer("other"), "broken": ImportError("x")}, []) == {"PRIVATE-TOKEN": TOKEN}


def test_extension_named_twice_is_loaded_once():
    assert authenticate({"a": Namer("a")}, ["a", "a"]) == {"X-Name": "a"}


def test_unknown_extension_is_explained_if_none_is_installed():
    with pytest.raises(ExtensionError, match=r"^unknown extension 'freeze'; no extension is installed\. An "):
        authenticate({}, ["freeze"])


@pytest.mark.parametrize("values", [("acme.freeze", "acme.freeze"), ("acme.freeze", "other.freeze")])
def test_name_in_two_packages_is_refused_unless_equal(values):
    found = [SimpleNamespace(name="freeze", value=value, load=lambda: Namer("a")) for value in values]
    with mock.patch.object(manager, "_entry_points", return_value=found):
        if values[0] == values[1]:
            assert PluginManager(["freeze"]).call("gitlab_authenticate", settings=SETTINGS) == {"X-Name": "a"}
            return
        with pytest.raises(ExtensionError) as caught:
            PluginManager(["freeze"])
    problem = "extension 'freeze' is in two packages, as acme.freeze and as other.freeze; uninstall one"
    assert str(caught.value) == problem


def test_unknown_extension_is_explained():
    with pytest.raises(ExtensionError) as caught:
        authenticate({"audit-log": Namer("a"), "freeze": Namer("b")}, ["audit-lgo"])
    assert str(caught.value).startswith("unknown extension 'audit-lgo'; installed: ['audit-log', 'freeze'].")
    assert "entry point of the group 'jobgate.gitlab'" in str(caught.value)


@pytest.mark.parametrize(
    ("extension", "problem"),
    [
        (ImportError("no module named audit"), "extension 'x' cannot be loaded: ImportError: no module named audit"),
        (Misspelt(), "extension 'x' does not match the hooks of jobgate.gitlab"),
        (WrongArguments(), "extension 'x' does not match the hooks of jobgate.gitlab"),
        (object(), "extension 'x' does not match the hooks of jobgate.gitlab: it has no hook; mark each function with"),
        (
            Unmarked(),
            "extension 'x' does not match the hooks of jobgate.gitlab: gitlab_decide_job_action is not marked as a hook"
            "; mark each function with pluggy.HookimplMarker('jobgate.gitlab')",
        ),
        (Raising(KeyError("color")), "an extension (x) failed in gitlab_authenticate: KeyError: 'color'"),
    ],
)
@pytest.mark.parametrize("others", [(), ("first", "last")])
def test_failing_extension_is_named(extension, problem, others):
    silent = {name: Namer(name, answers=False) for name in others}
    with pytest.raises(ExtensionError) as caught:
        authenticate({"x": extension, **silent}, [*others[:1], "x", *others[1:]])
    assert str(caught.value).startswith(problem)


def test_failing_extension_inside_a_wrapper_is_named():
    with pytest.raises(ExtensionError, match=r"^an extension \(x\) failed in gitlab_authenticate: KeyError"):
        authenticate({"wrapper": Wrapping(), "x": Raising(KeyError("color"))})


def test_invalid_result_names_all_extensions_that_may_have_returned_it():
    with pytest.raises(ExtensionError) as caught:
        new_session(ScriptedTransport(), extensions={"a": Namer(5), "silent": Namer("b", answers=False)})
    assert str(caught.value) == (
        "an extension (a, silent) returned dict from gitlab_authenticate; it must return a dictionary of headers "
        "whose values are non-empty strings in one line, or None"
    )


def test_wrapper_without_a_result_fails_the_authentication():
    with pytest.raises(ExtensionError, match=r"\(w\) returned None from a wrapper of gitlab_authenticate; it must"):
        new_session(ScriptedTransport(), extensions={"w": Wrapping()})


class AnnotatingWrapper:
    @hookimpl(wrapper=True)
    def gitlab_annotate_record(self):
        yield


def test_wrapper_without_a_result_loses_annotations_with_a_warning():
    session = new_session(ScriptedTransport(), extensions={"w": AnnotatingWrapper()})
    assert session.annotated("job", {"id": 42}) == {"id": 42}
    assert session.warnings == [
        "an extension (w) returned None from a wrapper of gitlab_annotate_record; it must return the list that it "
        "received"
    ]


@pytest.mark.parametrize("annotation", [{"share": float("nan")}, {"share": {1}}, [1], "x"])
def test_annotation_that_json_does_not_support_is_omitted(annotation):
    class Annotating:
        @hookimpl
        def gitlab_annotate_record(self, record):
            return annotation

    session = new_session(ScriptedTransport(), extensions={"n": Annotating()})
    assert session.annotated("job", {"id": 42}) == {"id": 42}
    (warning,) = session.warnings
    assert "(n) returned" in warning
    assert "a dictionary of values that JSON supports, or None" in warning


def test_usage_error_of_an_extension_passes_through():
    with pytest.raises(UsageError, match="the vault is sealed"):
        authenticate({"x": Raising(UsageError("the vault is sealed"))})


def test_extension_can_add_an_endpoint():
    class Versions:
        @hookimpl
        def gitlab_register_endpoints(self, registry):
            registry.add(registry.endpoint("get_version", "GET", "/version"))

    transport = ScriptedTransport(Exchange("GET /version", {"version": "18.5.0"}))
    session = new_session(transport, extensions={"versions": Versions()})
    assert session.client.call("get_version") == {"version": "18.5.0"}


def test_duplicate_endpoint_name_is_an_extension_error():
    class Duplicate:
        @hookimpl(trylast=True)
        def gitlab_register_endpoints(self, registry):
            registry.add(registry.endpoint("get_job", "GET", "/version"))

    with pytest.raises(ExtensionError, match="get_job is already registered"):
        new_session(ScriptedTransport(), extensions={"duplicate": Duplicate()})


@pytest.mark.parametrize(
    ("kind", "token", "expected"),
    [
        ("api_token", "glpat-1", {"PRIVATE-TOKEN": "glpat-1"}),
        ("api_oauth_token", "abc", {"Authorization": "Bearer abc"}),
        ("api_job_token", "glcbt-1", {"JOB-TOKEN": "glcbt-1"}),
        ("", "", {}),
    ],
)
def test_each_kind_of_token_has_its_header(kind, token, expected):
    settings = ConnectionSettings(api_url=API, token_kind=kind, token=token)
    assert PluginManager().call("gitlab_authenticate", settings=settings) == expected


def test_missing_pluggy_is_reported():
    # in a separate process, because libraries are imported only once
    program = (
        "import sys; sys.modules['pluggy'] = None\n"
        f"from {PluginManager.__module__} import PluginManager\n"
        "try:\n    PluginManager()\nexcept Exception as exc:\n    print(type(exc).__name__, exc.library)\n"
    )
    collections = str(inspect.getsourcefile(PluginManager)).partition("ansible_collections")[0]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([collections, *sys.path])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["MissingLibraryError", "pluggy"]


def test_credential_of_an_extension_is_masked():
    class Vault:
        @hookimpl
        def gitlab_authenticate(self, settings):
            return {"Authorization": "Bearer from-the-vault"}

    client = new_session(ScriptedTransport(), extensions={"vault": Vault()}).client
    assert client.settings.credential == {"Authorization": "Bearer from-the-vault"}
    assert client.masker.mask("got from-the-vault") == "got ********"


def test_extension_that_returns_no_headers_makes_requests_anonymous():
    class Anonymous:
        @hookimpl
        def gitlab_authenticate(self, settings):
            return {}

    session = new_session(ScriptedTransport(), extensions={"anonymous": Anonymous()})
    assert (session.client.settings.token_kind, session.limits.may_read) == ("", False)
