#!/bin/sh
# Runs the unit tests and the tidy tests.
#
#   scripts/test.sh [SWIFT-TEST-ARGUMENTS]
#
# The tests run the kernel's modules as ordinary Swift, so the image itself is left out. The suites
# that start sandboxes have scripts of their own.
set -eu
cd "$(dirname "$0")/.."
HOST_ONLY=1 exec "${SWIFT:-swift}" test --scratch-path .build-tests \
  --skip ConformanceTests --skip ProgramsTests --skip AttackTests "$@"
