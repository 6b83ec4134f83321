# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""Loads files of the collection from Python's own cache of compiled files.

Ansible compiles the files of collections anew in each process that imports them, plugins excepted. A lookup is imported
by the worker of every task that uses it, where compiling takes far longer than asking GitLab. So the files that plugins
need are loaded here, each before those that import it, by the loader that Python uses for every library: it keeps what
it has compiled in `__pycache__`, where it may write there. What is in no table is loaded by Ansible as ever.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import typing as t

_PACKAGE = __name__.rpartition(".plugin_utils.")[0]
_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What every plugin that talks to GitLab needs, and what lookups need besides, in the order in which it is imported.
CORE = (
    "module_utils._api.errors",
    "module_utils._app.concurrency",
    "module_utils._api.clock",
    "module_utils._api.retry",
    "module_utils._api.masking",
    "module_utils._app.statuses",
    "module_utils._app.naming",
    "module_utils._api.encoding",
    "module_utils._api.http",
    "module_utils._api.endpoints",
    "module_utils._api.catalogue",
    "module_utils._api.connection",
    "module_utils._api.compression",
    "module_utils._api.optional_imports",
    "module_utils._api.tls",
    "module_utils._api.direct_transport",
    "module_utils._api.transport",
    "module_utils._api.builtin_plugin",
    "module_utils._api.decoding",
    "module_utils._api.budget",
    "module_utils._api.pagination",
    "module_utils._api.plugin_manager",
    "module_utils._api.reading_ahead",
    "module_utils._api.redirects",
    "module_utils._api.client",
    "module_utils._app.builtin_decisions",
    "module_utils._app.files",
    "module_utils._app.outcome",
    "module_utils._app.settings",
    "module_utils._app.session",
    "module_utils._app.queries",
    "module_utils._app.bridges",
    "module_utils._app.selection",
    "module_utils._app.safe_output",
    "module_utils._api.caching",
    "plugin_utils._shared",
)
FOR_LOOKUPS = (
    *CORE,
    "module_utils._app.job_lookup",
    "plugin_utils._errors",
    "plugin_utils._lookup_options",
    "plugin_utils._options",
)


def load_compiled(names: t.Iterable[str]) -> None:
    """Load files of the collection, those first that others import.

    :param names: of modules, below `plugins`.
    :raises OSError: when there is no such file.
    :raises ImportError: when it needs what is not there.
    """
    for name in names:
        full_name = f"{_PACKAGE}.{name}"
        if full_name in sys.modules:
            continue
        parent = importlib.import_module(full_name.rpartition(".")[0])
        path = os.path.join(_FOLDER, *name.split(".")) + ".py"
        spec = importlib.util.spec_from_file_location(full_name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is no file that Python can load")
        module = importlib.util.module_from_spec(spec)
        sys.modules[full_name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[full_name]
            raise
        setattr(parent, name.rpartition(".")[2], module)
