# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Putting complete files in place."""

from __future__ import annotations

import os
import typing as t


class Files(t.Protocol):
    """What may be done with files; a module leaves it to Ansible."""

    def replace(self, source: str, dest: str) -> None:
        """Put a complete file in the place of the target, at once."""


class PlainFiles:
    """Files without Ansible."""

    def replace(self, source: str, dest: str) -> None:
        """Put a complete file in the place of the target, with its permissions, or those of a new file."""
        umask = os.umask(0)
        os.umask(umask)
        mode = os.stat(dest).st_mode & 0o7777 if os.path.exists(dest) else 0o666 & ~umask
        os.chmod(source, mode)
        os.replace(source, dest)
