"""Seccomp profiles of config.json: what programs may call, decided as runc and libseccomp do."""

import json
import os
import random
import shutil
import subprocess

import host as hosts
from host import case, expect

RUNC = shutil.which("runc") or "/usr/sbin/runc"
ALLOW = "SCMP_ACT_ALLOW"

# Makes each call of its arguments ("NUMBER:A:B:...") in a child and says what became of it.
CALLS_C = r"""
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void on_trap(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  printf("trap call %d arch %x data %d\n", info->si_syscall, info->si_arch, info->si_errno);
  fflush(stdout);
  _exit(0);
}
int main(int count, char **arguments) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  for (int index = 1; index < count; index++) {
    long words[7] = {0};
    char *text = strdup(arguments[index]);
    int word = 0;
    for (char *part = strtok(text, ":"); part && word < 7; part = strtok(NULL, ":"))
      words[word++] = strtoul(part, NULL, 0);
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
      struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
      sigaction(SIGSYS, &action, NULL);
      long result = syscall(words[0], words[1], words[2], words[3], words[4], words[5], words[6]);
      printf("%s: %s %d\n", arguments[index], result < 0 ? "error" : "fine", result < 0 ? errno : 0);
      fflush(stdout);
      _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) printf("%s: signal %d\n", arguments[index], WTERMSIG(status));
  }
  return 0;
}
"""


def compile_calls(host):
    source = os.path.join(host.scratch, "calls.c")
    with open(source, "w") as file:
        file.write(CALLS_C)
    subprocess.run(["gcc", "-static", "-O1", "-o",
                    os.path.join(host.bundle, "rootfs", "bin", "calls"), source], check=True)


def configure(host, profile, *calls, **process):
    host.configure("calls", *calls)
    path = os.path.join(host.bundle, "config.json")
    with open(path) as file:
        document = json.load(file)
    document["linux"]["seccomp"] = profile
    document["process"]["noNewPrivileges"] = True
    document["process"].update(process)
    with open(path, "w") as file:
        json.dump(document, file)


def outcome(host, product=None):
    command = [product or hosts.PRODUCT, "--root", host.root]
    result = subprocess.run([*command, "run", "--bundle", host.bundle, "box"], timeout=60,
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return result.stdout, result.stderr


def same_as_runc(host, profile, *calls):
    configure(host, profile, *calls)
    ours, errors = outcome(host)
    if hosts.PRODUCT != RUNC and os.path.exists(RUNC):
        theirs, _ = outcome(host, RUNC)
        expect(ours == theirs, f"{json.dumps(profile)}\nours:\n{ours}{errors}\nrunc's:\n{theirs}")
    expect(ours, f"no output: {errors}")
    return ours


def rule(names, action, *conditions, errno=None):
    entry = {"names": names if isinstance(names, list) else [names], "action": action}
    if conditions:
        entry["args"] = [dict(zip(("index", "op", "value", "valueTwo"), condition))
                         for condition in conditions]
    if errno is not None:
        entry["errnoRet"] = errno
    return entry


def profile(default, *rules, **more):
    return {"defaultAction": default, "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": list(rules), **more}


LSEEK, GETPPID, MEMFD = 8, 110, 319


@case("seccomp/every-action")
def every_action(host):
    compile_calls(host)
    for action in ("KILL", "KILL_THREAD", "KILL_PROCESS", "TRAP", "ERRNO", "TRACE", "LOG"):
        text = same_as_runc(host, profile(ALLOW, rule("getppid", f"SCMP_ACT_{action}")),
                            f"{GETPPID}", f"{LSEEK}:-1")
        expect(text.count("\n") == 2 and "error 9" in text, text)
    text = same_as_runc(host, profile(ALLOW, rule("getppid", "SCMP_ACT_ERRNO", errno=100)),
                        f"{GETPPID}")
    expect("error 100" in text, text)


@case("seccomp/every-operator")
def every_operator(host):
    compile_calls(host)
    big = 0x1_0000_0002
    values = [0, 1, 2, 3, big - 1, big, big + 1, 0x2_0000_0002, (1 << 64) - 1]
    calls = [f"{LSEEK}:-1:{value}" for value in values]
    for operator in ("NE", "LT", "LE", "EQ", "GE", "GT"):
        for value in (0, 2, big, (1 << 64) - 1):
            same_as_runc(host, profile(ALLOW, rule(
                "lseek", "SCMP_ACT_ERRNO", (1, f"SCMP_CMP_{operator}", value), errno=77)), *calls)
    for mask, value in ((3, 2), (big, big), (1 << 32, 1 << 32), (0xff, 0x102)):
        same_as_runc(host, profile(ALLOW, rule(
            "lseek", "SCMP_ACT_ERRNO", (1, "SCMP_CMP_MASKED_EQ", mask, value), errno=77)), *calls)


@case("seccomp/conditions-and-precedence")
def precedence(host):
    """Several rules for a call: all conditions of one must hold, one without conditions wins."""
    compile_calls(host)
    calls = [f"{LSEEK}:-1:{b}:{c}" for b in range(3) for c in range(3)]
    one = (1, "SCMP_CMP_EQ", 1)
    two = (2, "SCMP_CMP_EQ", 2)
    refuse = "SCMP_ACT_ERRNO"
    for rules in (
            [rule("lseek", refuse, one, two, errno=77)],
            [rule("lseek", refuse, one, errno=77), rule("lseek", refuse, two, errno=77)],
            [rule("lseek", refuse, one, (1, "SCMP_CMP_EQ", 2), errno=77)],
            [rule("lseek", refuse, one, errno=77), rule("lseek", "SCMP_ACT_LOG")],
            [rule("lseek", "SCMP_ACT_LOG"), rule("lseek", refuse, one, errno=77)],
            [rule("lseek", refuse, errno=77), rule("lseek", refuse, errno=78)],
            [rule("lseek", ALLOW), rule("lseek", refuse, one, errno=77)]):
        same_as_runc(host, profile(ALLOW, *rules), *calls)


@case("seccomp/default-and-newer-calls")
def default_and_newer(host):
    """What the profile refuses is its default; calls that are newer than it are ENOSYS."""
    compile_calls(host)
    with open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h") as file:
        numbers = {line.split()[1][5:]: int(line.split()[2]) for line in file
                   if line.startswith("#define __NR_")}
    known = [name for name, number in numbers.items() if number <= 334 and name not in (
        "getppid", "memfd_create")]
    for changes in ({}, {"defaultErrnoRet": 38}, {"defaultErrnoRet": 13}):
        text = same_as_runc(host, profile("SCMP_ACT_ERRNO", rule(known, ALLOW), **changes),
                            f"{GETPPID}", f"{MEMFD}", "439", "450", f"{LSEEK}:-1")
        expect(": error 38" in text and "8:-1: error 9" in text, text)


@case("seccomp/generated-profiles")
def generated(host):
    """Conditions by chance: of several arguments in one rule, or rules of one condition each.

    Not several rules of several conditions: libseccomp 2.5 lets them share halves of comparisons
    and then refuses calls that no rule describes.
    """
    compile_calls(host)
    chance = random.Random(20)
    values = [0, 1, 5, 1 << 32, (1 << 32) + 5, (1 << 63) + 1, (1 << 64) - 1]
    for round in range(16):
        rules = []
        for _ in range(1 if round % 2 else chance.randint(1, 4)):
            indexes = chance.sample(range(1, 4), chance.randint(1, 3) if round % 2 else 1)
            conditions = []
            for index in indexes:
                operator = chance.choice(["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"])
                conditions.append((index, f"SCMP_CMP_{operator}", chance.choice(values),
                                   chance.choice(values)))
            rules.append(rule("pread64", "SCMP_ACT_ERRNO", *conditions, errno=77))
        calls = [":".join(["17", "-1"] + [str(chance.choice(values)) for _ in range(3)])
                 for _ in range(24)]
        same_as_runc(host, profile(ALLOW, *rules), *calls)


@case("seccomp/programs-see-it")
def visible(host):
    """/proc/PID/status, and programs that join the container are under it, too."""
    compile_calls(host)
    configure(host, profile(ALLOW, rule("getppid", "SCMP_ACT_ERRNO", errno=77)), args=[
        "sleep", "1000"])
    host.start_detached()
    text = host.run("exec", "box", "cat", "/proc/self/status")
    expect("Seccomp:\t2" in text and "Seccomp_filters:\t" in text, text)
    text = host.run("exec", "box", "calls", f"{GETPPID}")
    expect("error 77" in text, text)


@case("seccomp/what-is-refused-is-named")
def refused(host):
    wrongs = [
        (profile(ALLOW, rule("getppid", "SCMP_ACT_NONE")), "SCMP_ACT_NONE"),
        (profile(ALLOW, rule("lseek", ALLOW, (1, "SCMP_CMP_XX", 1))), "SCMP_CMP_XX"),
        (profile(ALLOW, architectures=["SCMP_ARCH_Z80"]), "SCMP_ARCH_Z80"),
        (profile(ALLOW, flags=["SECCOMP_FILTER_FLAG_X"]), "flag")]
    if hosts.PRODUCT != RUNC:  # which has supervisors
        wrongs += [
            (profile("SCMP_ACT_NOTIFY"), "seccomp.defaultAction: 'SCMP_ACT_NOTIFY'"),
            (profile(ALLOW, rule("getppid", "SCMP_ACT_NOTIFY")), "[0].action: 'SCMP_ACT_NOTIFY'"),
            (profile(ALLOW, listenerMetadata="x"), "listenerMetadata")]
    for wrong, words in wrongs:
        configure(host, wrong, f"{GETPPID}")
        host.fails("create", "--bundle", host.bundle, "box", words=words)
