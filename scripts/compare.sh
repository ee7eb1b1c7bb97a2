#!/bin/bash
# Runs one test natively and in a sandbox and says whether a person could tell the difference.
#
#   scripts/compare.sh [--native-only] Conformance/FAMILY/NAME.c | Programs/NAME.sh
#
# A C program must print the same on stdout and stderr and exit with the same status. One whose
# first line says `// static` is linked and compared both ways. A script must print the same on
# stdout and exit with the same status; a line `SKIP: why` says that it cannot run here.
# With --native-only two native runs are compared instead, so that a program which prints what
# changes from run to run is found out before it is blamed on the sandbox.
#
# Prints one line `PASS NAME`, `KNOWN NAME: why`, `SKIP NAME: why` or `FAIL NAME: why`, after a
# FAIL the evidence, and exits with 0, 0, 77 or 1. A test listed in its suite's
# known-failures.txt must fail. A limit of seconds other than the suite's own is set by a
# comment `timeout: N` in the first five lines.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${TMPDIR:-/tmp}/paravane-conformance
native_only=
if [ "${1-}" = --native-only ]; then
  native_only=yes
  shift
fi
[ $# = 1 ] && [ -f "$1" ] || { sed -n '4p' "$0" | cut -c3- >&2; exit 2; }
source=$(realpath "$1")

case $source in
*.c) kind=program suite=Conformance limit=20 ;;
*.sh) kind=script suite=Programs limit=90 ;;
*) echo "cannot compare '$1': it is neither a .c nor a .sh file" >&2; exit 2 ;;
esac
name=${source#"$root/$suite/"}
name=${name%.*}
own_limit=$(sed -n '1,5s/.*timeout: \([0-9]\{1,\}\).*/\1/p' "$source" | head -n 1)
limit=${own_limit:-$limit}

mkdir -p "$cache/runs"
work=$(mktemp -d "$cache/runs/XXXXXX") || exit 2
chmod 755 "$work"  # for programs that are not root
trap 'rm -rf "$work"' EXIT

# --- verdicts

known_reason() {
  [ -z "$native_only" ] && [ -f "$root/$suite/known-failures.txt" ] || return 0
  awk -v name="$name" '$1 == name { $1 = ""; sub(/^ /, ""); print; exit }' \
    "$root/$suite/known-failures.txt"
}

pass() {
  local reason
  reason=$(known_reason)
  if [ -n "$reason" ]; then
    echo "FAIL $name: it passes, but is listed in $suite/known-failures.txt"
    exit 1
  fi
  echo "PASS $name"
  exit 0
}

# fail WHY [EVIDENCE-FILE]: prints at most 60 lines of evidence.
fail() {
  local reason
  reason=$(known_reason)
  if [ -n "$reason" ]; then
    echo "KNOWN $name: $reason"
    exit 0
  fi
  echo "FAIL $name: $1"
  if [ -n "${2-}" ]; then head -n 60 "$2" | sed 's/^/    /'; fi
  exit 1
}

skip() {
  echo "SKIP $name: $1"
  exit 77
}

# --- running

find_paravane() {
  local candidate
  for candidate in "${PARAVANE-}" "$root/.build/release/paravane" "$root/.build/debug/paravane"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      realpath "$candidate"
      return
    fi
  done
  return 1
}

# run TAG COMMAND...: leaves TAG.out, TAG.err and TAG.status; a hang has the status `hang`.
#
# Every command starts in the same state, whatever the caller of this script left behind.
run() {
  local tag=$1
  shift
  local status
  {
    (
      cd "$work/$tag.dir" || exit 125
      exec env -i LC_ALL=C TERM=dumb HOME=/root \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        "$clean_start" timeout --kill-after=5 "$limit" "$@" \
        < /dev/null > "$work/$tag.out" 2> "$work/$tag.err"
    )
    status=$?
  } 2> /dev/null  # bash reports a death by signal here, and the status says it already
  # timeout(1) says 124, or 137 where only SIGKILL ended the command.
  if [ $status = 124 ] || { [ $status = 137 ] && [ $SECONDS -ge "$limit" ]; }; then
    status=hang
  fi
  echo $status > "$work/$tag.status"
  end_leftovers
}

# What a program left running natively, in sessions that timeout(1) does not reach.
end_leftovers() {
  local link
  find /proc -mindepth 2 -maxdepth 2 -path '/proc/[0-9]*' -name exe -lname "$work/*" 2> /dev/null |
    while read -r link; do
      link=${link#/proc/}
      kill -KILL "${link%/exe}" 2> /dev/null
    done
}

# run_natively TAG and run_in_sandbox TAG: in a fresh working directory of their own.
run_natively() {
  mkdir "$work/$1.dir"
  SECONDS=0
  case $kind in
  program)
    cp "$binary" "$work/$1.dir/prog"
    run "$1" "$work/$1.dir/prog"
    ;;
  script) run "$1" bash "$source" ;;
  esac
}

run_in_sandbox() {
  mkdir "$work/$1.dir"
  SECONDS=0
  local sandbox=(env ${PARAVANE_KERNEL:+"PARAVANE_KERNEL=$PARAVANE_KERNEL"} "$paravane" do --env LC_ALL=C --volume "$work/$1.dir:/work" --cwd /work)
  case $kind in
  program)
    cp "$binary" "$work/$1.dir/prog"
    run "$1" "${sandbox[@]}" -- /work/prog
    ;;
  script)
    run "$1" "${sandbox[@]}" --volume "$(dirname "$source"):/programs:ro" -- \
      bash "/programs/$(basename "$source")"
    ;;
  esac
}

# evidence TAG: what a run printed, for a run that has nothing to be compared with.
evidence() {
  {
    echo "--- $1 stdout"
    tail -n 25 "$work/$1.out"
    echo "--- $1 stderr"
    tail -n 25 "$work/$1.err"
  } > "$work/evidence"
}

# compare ONE OTHER VARIANT: fails at the first difference.
compare() {
  local tag
  for tag in "$1" "$2"; do
    if [ "$(cat "$work/$tag.status")" = hang ]; then
      evidence "$tag"
      fail "${3}$tag: still running after $limit s" "$work/evidence"
    fi
  done
  {
    diff -a -U 3 --label "$1 stdout" --label "$2 stdout" "$work/$1.out" "$work/$2.out"
    diff -a -U 3 --label "$1 status" --label "$2 status" "$work/$1.status" "$work/$2.status"
    if [ $kind = program ]; then
      diff -a -U 3 --label "$1 stderr" --label "$2 stderr" "$work/$1.err" "$work/$2.err"
    fi
  } > "$work/evidence"
  [ -s "$work/evidence" ] || return 0
  if [ $kind = script ]; then
    { echo "--- $2 stderr"; tail -n 25 "$work/$2.err"; } >> "$work/evidence"
  fi
  fail "${3}$2 differs from $1" "$work/evidence"
}

# compare_variant VARIANT: one linking of a program, or a script.
compare_variant() {
  rm -rf "$work"/*.dir
  run_natively native
  local reason
  reason=$(sed -n 's/^SKIP: //p' "$work/native.out" | head -n 1)
  [ -z "$reason" ] || skip "$reason"
  if grep -aq ': got ' "$work/native.out"; then
    grep -a ': got ' "$work/native.out" > "$work/evidence"
    fail "${1}a check fails on Linux itself" "$work/evidence"
  fi
  # Two that fail at their beginning look the same.
  if [ $kind = script ] && [ "$(cat "$work/native.status")" != 0 ]; then
    fail "it fails on Linux itself" "$work/native.err"
  fi
  if [ -n "$native_only" ]; then
    run_natively again
    compare native again "$1"
  else
    run_in_sandbox sandbox
    compare native sandbox "$1"
  fi
}

# compile BINARY SOURCE FLAGS...: unless the cached binary is newer than its sources.
compile() {
  local binary=$1 source=$2
  shift 2
  if [ "$binary" -nt "$source" ] && [ "$binary" -nt "$root/Conformance/check.h" ]; then return; fi
  mkdir -p "$(dirname "$binary")"
  gcc -O1 -Wall -pthread "$@" -I "$root/Conformance" -o "$work/built" "$source" \
    2> "$work/evidence" || fail "$(basename "$source") does not compile" "$work/evidence"
  mv "$work/built" "$binary"
}

# build SUFFIX FLAGS...: the program of this test.
build() {
  binary=$cache/bin/$name$1
  shift
  compile "$binary" "$source" "$@"
}

if [ -z "$native_only" ]; then
  paravane=$(find_paravane) ||
    fail "no paravane: set PARAVANE or build .build/release/paravane"
fi
clean_start=$cache/bin/clean-start
compile "$clean_start" "$root/scripts/clean-start.c"
if [ $kind = script ]; then
  compare_variant ""
else
  build ""
  compare_variant ""
  if head -n 1 "$source" | grep -q '^// static'; then
    build .static -static
    compare_variant "static: "
  fi
fi
pass
