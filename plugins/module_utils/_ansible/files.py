# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What Ansible wants of the files that a task makes, the same in process and as a module."""

from __future__ import annotations

import stat
import typing as t

from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS

from .._app.outcome import Files
from .._tasks.values.prepared import Arguments

SELINUX: t.Any
try:
    from ansible.module_utils.compat import selinux as SELINUX
except ImportError:
    SELINUX = None

# Ansible's options for the attributes of files.
FILE_ARGUMENTS: Arguments = t.cast("t.Any", FILE_COMMON_ARGUMENTS)


class AnsibleFiles(Files):
    """Files as Ansible's own modules make them."""

    def label(self, path: str, dest: str) -> None:
        if SELINUX is None or SELINUX.is_selinux_enabled() != 1:
            return
        found, context = SELINUX.matchpathcon(dest, stat.S_IFREG)
        if found == 0 and context:
            SELINUX.lsetfilecon(path, context)
