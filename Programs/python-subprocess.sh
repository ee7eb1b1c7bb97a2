# Children of Python: subprocess, pipes, timeouts, sessions, descriptors, wait.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD
command -v python3 > /dev/null || { echo "SKIP: python3 is not installed"; exit 0; }

cat > program.py <<'END'
import os, pathlib, select, shlex, signal, socket, subprocess, sys, threading

def run(*arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, **options)

print(run("echo", "hello").stdout, end="")
print(run("sh", "-c", "echo out; echo err >&2; exit 3"))
print(run("tr", "a-z", "A-Z", input="upper\n" * 3).stdout, end="")
print(len(run("cat", input="large\n" * 200_000).stdout))
print(run("pwd", cwd="/usr").stdout, end="")
print(run("env", env={"ONLY": "this"}).stdout, end="")
try:
    run("no-such-program")
except FileNotFoundError as error:
    print(error)
pathlib.Path("not-executable").write_text("")
try:
    run("./not-executable")
except PermissionError as error:
    print(error)
try:
    run("sleep", "60", timeout=0.1)
except subprocess.TimeoutExpired as error:
    print("timeout after", error.timeout)
try:
    run("false", check=True)
except subprocess.CalledProcessError as error:
    print(error)
for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
    print(number.name, run("sh", "-c", f"kill -{number} $$").returncode)

print("== pipeline")
first = subprocess.Popen(["seq", "1", "100000"], stdout=subprocess.PIPE)
second = subprocess.Popen(["grep", "-c", "7"], stdin=first.stdout, stdout=subprocess.PIPE)
first.stdout.close(); print(second.communicate()[0], first.wait(), second.returncode)

print("== conversation")
with subprocess.Popen(["sed", "-u", "s/^/> /"], stdin=-1, stdout=-1, text=True, bufsize=1) as sed:
    for number in range(200):
        sed.stdin.write(f"{number}\n"); line = sed.stdout.readline()
    print(line, end="")
print(sed.returncode)

print("== descriptors, sessions, groups")
reading, writing = os.pipe()
print(run("sh", "-c", f"echo kept >&{writing}", pass_fds=[writing]).returncode,
    os.read(reading, 10))
print(run("sh", "-c", f"(echo lost >&{writing}) 2>&1", pass_fds=[]).returncode != 0)
print(run(sys.executable, "-c", "import os; print(os.listdir('/proc/self/fd'))").stdout, end="")
leader = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(os.getsid(leader.pid) == leader.pid, os.getpgid(leader.pid) == leader.pid)
os.killpg(leader.pid, signal.SIGTERM); print(leader.wait())
print(run("sh", "-c", "umask; id -u; ulimit -n", umask=0o27, user=65534, group=65534,
          preexec_fn=lambda: __import__("resource").setrlimit(7, (64, 64))).stdout.split())

print("== many children, in order of their end")
children = {os.spawnlp(os.P_NOWAIT, "sh", "sh", "-c", f"exit {number}"): number
            for number in range(50)}
ended = [os.wait() for _ in children]
print(all(os.waitstatus_to_exitcode(status) == children[pid] for pid, status in ended))
try:
    os.wait()
except ChildProcessError as error:
    print(error)

print("== waitid and pidfd")
child = os.posix_spawn("/bin/sh", ["sh", "-c", "kill -STOP $$; exit 6"], os.environ)
print(os.waitid(os.P_PID, child, os.WSTOPPED).si_status)
os.kill(child, signal.SIGCONT)
descriptor = os.pidfd_open(child); poll = select.poll(); poll.register(descriptor)
print(len(poll.poll()))
print(os.waitid(os.P_PIDFD, descriptor, os.WEXITED).si_status)

print("== subprocess from threads")
outputs = []
def say(number): outputs.append(run("echo", str(number)).stdout)
threads = [threading.Thread(target=say, args=(number,)) for number in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sorted(int(output) for output in outputs))

print("== an orphan is adopted")
reading, writing = os.pipe()
if os.fork() == 0:
    parent = os.getpid()
    if os.fork() == 0:
        while os.getppid() == parent: select.select([], [], [], 0.005)
        os.write(writing, b"adopted"); os._exit(0)
    os._exit(0)
os.wait(); print(os.read(reading, 10))
print(os.system("exit 4") >> 8, os.popen("echo popen").read(), end="")
END
python3 program.py
