#!/bin/bash
# Runs the scripts of Programs/ on Linux and in a sandbox; both must look the same.
#
#   scripts/programs.sh [--native-only] [PATTERN]         PATTERN: part of NAME
#
# The sandbox is started by $PARAVANE (with $PARAVANE_KERNEL, if set, as its kernel), else by the
# release or debug build of this checkout.
exec "$(dirname "$0")/compare-all.sh" Programs sh "$@"
