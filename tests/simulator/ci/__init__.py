# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a `.gitlab-ci.yml` and says which jobs its pipelines have, as GitLab's documentation describes it.

Source: https://docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations
