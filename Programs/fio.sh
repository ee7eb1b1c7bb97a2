# fio(1): what was written in many ways is read back and verified, by several jobs at a time.
# timeout: 120
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD
command -v fio > /dev/null || { echo "SKIP: fio is not installed"; exit 0; }

# job NAME OPTIONS: says how many bytes moved each way, and whether one was wrong.
job() {
  local name=$1
  shift
  fio --name="$name" --size=4M --output-format=json --output="$name.json" "$@" > "$name.log" 2>&1 ||
    { echo "$name: status $?"; tail -n 5 "$name.log"; return; }
  /usr/bin/python3 - "$name" <<'PY'
import json, sys
text = open(sys.argv[1] + ".json").read()
jobs = json.loads(text[text.index("{"):])["jobs"]
moved = [sum(job[way]["io_bytes"] for job in jobs) for way in ("read", "write", "trim")]
print(sys.argv[1], len(jobs), "jobs", *moved, "errors", sum(job["error"] for job in jobs))
PY
}
verify="--verify=crc32c --verify_fatal=1"
job sequential --rw=write --bs=64k $verify
job random --rw=randwrite --bs=4k --norandommap=0 --randseed=7 $verify
job synchronous --rw=randwrite --bs=16k --fsync=8 --randseed=7 $verify
job vectors --ioengine=vsync --iodepth=8 --rw=randwrite --bs=4k --randseed=7 $verify
job vectored --ioengine=pvsync2 --rw=randwrite --bs=4k --randseed=7 $verify
job mapped --ioengine=mmap --rw=randwrite --bs=4k --randseed=7 $verify
job appended --rw=write --bs=4k --file_append=1 --fdatasync=16 $verify
job several --rw=randwrite --bs=4k --numjobs=4 --randseed=7 $verify
job threads --rw=randwrite --bs=4k --numjobs=4 --thread --randseed=7 $verify
job allocated --fallocate=posix --rw=randwrite --bs=4k --randseed=7 $verify
job copied --ioengine=splice --rw=write --bs=16k
ls *.0.0 | wc -l
