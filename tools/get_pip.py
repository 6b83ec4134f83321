# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bootstrap pip for ansible-test: install the pip bundled with Python, then the requested one from the index."""

from __future__ import annotations

import subprocess
import sys

# in a separate process because ensurepip sets PIP_CONFIG_FILE, which disables the configuration of pip
subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
pip = [sys.executable, "-m", "pip"]
quiet = ["--quiet", "--disable-pip-version-check"]
subprocess.check_call([*pip, "install", *quiet, *[arg for arg in sys.argv[1:] if "==" in arg]])
if "--no-setuptools" in sys.argv:
    subprocess.call([*pip, "uninstall", "--yes", *quiet, "setuptools"])
