#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The module exports one symbol, the one that FreeRADIUS looks up.
set -eu
got=$(nm -D --defined-only "$1" | awk '{print $3}' | grep -v '^__asan\|^__ubsan' | tr '\n' ' ')
[ "$got" = "rlm_peruser_mfa " ] || { echo "check_exports: $1 exports: $got" >&2; exit 1; }
