# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sessions of antsibull-nox, as antsibull-nox.toml configures them; `make antsibull` runs them."""

from __future__ import annotations

import antsibull_nox
import nox

antsibull_nox.load_antsibull_nox_toml()
# what virtualenv, the default, needs is kept in the home folder
nox.options.default_venv_backend = "venv"
