#!/bin/bash
# Compares speed with native runs and other runtimes; see Benchmarks/bench.py --help.
#
#   scripts/bench.sh [--quick] [--write] [--check] [ROW...]
#   scripts/bench.sh containers [--rounds N] [--write] [--check]
if [[ ${1:-} == containers ]]; then
  shift
  exec /usr/bin/python3 -B "$(dirname "$0")/../Benchmarks/containers.py" "$@"
fi
exec /usr/bin/python3 -B "$(dirname "$0")/../Benchmarks/bench.py" "$@"
