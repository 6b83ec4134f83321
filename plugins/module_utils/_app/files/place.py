# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Texts that go to a file, in one step: whoever reads the file sees the old text or the new one."""

from __future__ import annotations

import os
import tempfile

from ..._api.errors import UsageError
from ..outcome import Files


def check_writable(option: str, path: str) -> None:
    """Return when a file can be put there.

    :raises UsageError: when it cannot, as far as that can be known beforehand.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise UsageError(f"{option} {path!r} is in a folder that does not exist; create {folder!r} first")
    if os.path.isdir(path):
        raise UsageError(f"{option} {path!r} is a folder; give the name of a file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{option} {path!r} cannot be written: no permission to create files in {folder!r}")


def write_text(option: str, path: str, text: str, files: Files) -> None:
    """Replace the content of a file with a text.

    :raises UsageError: when that does not work.
    """
    folder = os.path.dirname(os.path.abspath(path))
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".jobgate-")
        # what cannot be encoded came from a server; it must not cost the whole record
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        files.replace(temporary, os.path.abspath(path))
    except OSError as exc:
        raise UsageError(f"{option} {path!r} cannot be written: {exc.strerror or exc}") from None
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
