# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""Lets Python keep the compiled files of this collection, as it does for every other package.

Ansible's loader of collections compiles a file each time a process imports it. For the core of this collection that
takes longer than a request to GitLab, and a worker process of Ansible lives for one task only.
"""

from __future__ import annotations

import importlib.machinery
import sys
import typing as t

# Below it there are plain modules only, none of which Ansible looks for by itself.
_CORE = __name__.rpartition(".plugin_utils.")[0] + ".module_utils."
_LOADER = (importlib.machinery.SourceFileLoader, [".py"])


class CoreFinder:
    """Finds the modules of the core the way Python does."""

    @staticmethod
    def find_spec(
        name: str, path: t.Sequence[str] | None = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a module is, None for what does not belong to the core."""
        if not name.startswith(_CORE):
            return None
        for folder in path or ():
            spec = importlib.machinery.FileFinder(folder, _LOADER).find_spec(name)
            if spec is not None and spec.loader is not None:
                return spec
        return None


def keep_compiled() -> None:
    """Find the core by Python's own means from now on. Where its files cannot be written, nothing changes."""
    if CoreFinder not in sys.meta_path:
        sys.meta_path.insert(0, t.cast("t.Any", CoreFinder))


keep_compiled()
