# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Functions that run in a separate process, optionally without privileges."""

from __future__ import annotations

import os
import pickle
import typing as t

from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError

NOBODY = 65534
IS_ROOT = os.geteuid() == 0


def in_child(function: t.Callable[[], t.Any], *, as_nobody: bool = False) -> t.Any:
    """Return the result of a function, or the text of its error, from a separate process."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if as_nobody:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.umask(0o022)
            answer = function()
        except UsageError as exc:
            answer = str(exc)
        except BaseException as exc:
            answer = f"{type(exc).__name__}: {exc}"
        with open(write, "wb") as pipe:
            pipe.write(pickle.dumps(answer))
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        content = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(content) if content else None
