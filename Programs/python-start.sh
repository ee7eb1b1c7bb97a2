# The start of Python: interpreter, standard library, files, signals, memory.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD
command -v python3 > /dev/null || { echo "SKIP: python3 is not installed"; exit 0; }

python3 -c 'print("hello")'
python3 -S -c 'import sys; print(sys.flags.no_site)'
echo 'print("from standard input", 6 * 7)' | python3
python3 -c 'raise SystemExit(17)' || echo "status $?"
python3 -c 'import os, signal; os.kill(os.getpid(), signal.SIGTERM)' || echo "status $?"
for round in 1 2 3 4 5; do python3 -c "import json, re, decimal, email, unittest; print($round)"
done

cat > program.py <<'END'
import collections, ctypes, datetime, decimal, fcntl, gzip, hashlib, io, json, mmap, os, pathlib
import random, re, resource, shutil, signal, stat, struct, sys, tempfile, time, zlib

print(json.dumps({"pi": str(decimal.Decimal(22) / 7), "list": [1, 2.5, None, "é"]},
    ensure_ascii=False))
print(datetime.datetime.fromtimestamp(10**9, datetime.timezone.utc).isoformat())
random.seed(1)
print([random.randrange(1000) for _ in range(8)])
print(hashlib.sha256(b"x" * 5_000_000).hexdigest())
print(zlib.crc32(zlib.decompress(zlib.compress(bytes(range(256)) * 4000))))
print(len(gzip.compress(b"parrot" * 100_000, mtime=0)) < 2000)
print(collections.Counter(re.findall(r"\w", "mississippi")).most_common(3))
print(ctypes.CDLL(None).strlen(b"through ctypes"))

print("== files")
path = pathlib.Path("data"); path.mkdir()
for number in range(300):
    (path / f"f{number:03}").write_text(str(number) * number)
print(sum(entry.stat().st_size for entry in os.scandir(path)), len(os.listdir(path)))
os.rename("data/f001", "data/renamed"); os.symlink("renamed", "data/link")
print(os.readlink("data/link"), os.lstat("data/link").st_size,
    stat.filemode(os.stat("data").st_mode))
try:
    open("data/absent")
except FileNotFoundError as error:
    print(error.errno, error.strerror)
with tempfile.TemporaryFile(dir=".") as file:
    file.write(b"0123456789" * 1000); file.seek(4995); print(file.read(10))
    print(os.pread(file.fileno(), 4, 3), os.pwritev(file.fileno(), [b"ab", b"cd"], 0),
        os.pread(file.fileno(), 6, 0))
    fcntl.flock(file, fcntl.LOCK_EX); fcntl.lockf(file, fcntl.LOCK_EX); print("locked")
shutil.copytree("data", "copy", symlinks=True); shutil.rmtree("data")
print(len(os.listdir("copy")))
with open("mapped", "wb+") as file:
    file.truncate(1 << 20)
    with mmap.mmap(file.fileno(), 0) as view:
        view[4096:4101] = b"guest"; view.flush(); print(view.find(b"est"))
    file.seek(4096); print(file.read(5))

print("== signals and time")
signal.signal(signal.SIGALRM, lambda number, frame: print("alarm", number))
signal.setitimer(signal.ITIMER_REAL, 0.05); signal.pause()
before = time.monotonic(); time.sleep(0.02); print(time.monotonic() - before >= 0.02)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]); os.kill(os.getpid(), signal.SIGUSR1)
print(signal.sigpending(), signal.sigwait([signal.SIGUSR1]).name)
os.environ["TZ"] = "Europe/Berlin"; time.tzset()
print(time.strftime("%H:%M %Z", time.localtime(0)))

print("== memory")
blocks = [bytearray(1 << 20) for _ in range(64)]
for block in blocks:
    block[::4096] = b"\1" * 256
print(sum(block.count(1) for block in blocks))
del blocks
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (20, hard))
opened = []
try:
    while True:
        opened.append(open("/dev/null"))
except OSError as error:
    print(error.strerror, opened[-1].fileno())
END
python3 program.py
python3 -m json.tool <<< '{"a": [1, 2]}'
python3 -m timeit -n 10 -r 1 pass | wc -l
