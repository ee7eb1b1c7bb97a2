#!/bin/sh
# Checks layout and layers, and changes nothing.
set -eu
cd "$(dirname "$0")/.."
"${SWIFT:-swift}" format lint --strict --recursive --parallel Package.swift Sources Tests
exec scripts/test.sh --filter TidyTests
