"""Sits at the terminal of `paravane do`, as a person would.

    terminals.py [--list] [PATTERN]

PARAVANE names the product. What a program does on a terminal *inside* a sandbox, Programs/ compares;
here it is the person's own terminal, which paravane borrows and has to give back.
"""

import fnmatch
import os
import re
import select
import signal
import sys
import tempfile
import termios
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "Programs"))
from terminal import PROMPT, Terminal  # noqa: E402

PRODUCT = os.path.realpath(os.environ["PARAVANE"])
SHELL = f"PS1='{PROMPT}' exec bash --norc --noprofile -i"
CASES = {}


class Failure(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failure(what)


def case(body):
    CASES[body.__name__.replace("_", "-")] = body
    return body


def outer(script):
    """A shell that outlives the sandbox: the terminal is still there to be looked at."""
    return Terminal("bash", "--norc", "--noprofile", "-c", script, PRODUCT=PRODUCT)


def settings(terminal):
    return termios.tcgetattr(terminal.master)


def inner_shell():
    """A shell in a sandbox at its prompt; the outer one waits for a line at the end."""
    terminal = outer(f'"$PRODUCT" do -- bash -c "{SHELL}"; echo "status $?"; read line')
    terminal.expect(PROMPT)
    return terminal


def end(terminal, status, before=None):
    """Waits for the sandbox's end; then everything is as it was."""
    terminal.expect(f"status {status}\r\n")
    if before is not None:
        check(settings(terminal) == before, "the terminal's settings were not restored")
    terminal.type("\r")
    check(terminal.end() == 0, "the outer shell failed")


def children(pid):
    return [int(word) for word in open(f"/proc/{pid}/task/{pid}/children").read().split()]


def command_of(terminal):
    """The `do` below the outer shell."""
    return children(terminal.child)[0]


def guest_process(terminal, program):
    """The host process that has mapped the program, below the `do` of this terminal."""
    pending = [command_of(terminal)]
    while pending:
        pid = pending.pop()
        pending += children(pid)
        if os.path.basename(os.path.realpath(program)) + "\n" in open(f"/proc/{pid}/maps").read():
            return pid
    raise Failure(f"no host process has mapped '{program}'")


@case
def lines_are_edited_as_at_home():
    terminal = inner_shell()
    terminal.after("echo wrong\x15echo right\r", "\nright\r\n" + PROMPT)
    terminal.after("ehco\x01\x1b[C\x06\x14\x05 swapped\r", "\nswapped\r\n" + PROMPT)
    terminal.after("\x1b[A\x1b[A\r", "\nright\r\n" + PROMPT)
    # Keys count for cat from here on, and no longer for the shell's own editing.
    terminal.after("sh -c 'echo running; exec cat'\r", "running\r\n")
    terminal.after("abc\x7f\x7fx\r", "ax\r\n")
    terminal.after("\x04", PROMPT)
    terminal.type("exit 7\r")
    end(terminal, 7)


@case
def keys_interrupt_the_program_and_not_the_sandbox():
    terminal = inner_shell()
    terminal.after("sh -c 'echo running; read line'\r", "running\r\n")
    terminal.after("\x03", PROMPT)
    check(terminal.run("echo $?") == ["130"], "Ctrl-C did not end the program")
    terminal.after("sh -c 'echo running; read line; echo got $line'\r", "running\r\n")
    terminal.after("\x1a", "Stopped", PROMPT)
    terminal.after("fg\r", "line'\r\n")
    terminal.after("a line\r", "got a line\r\n", PROMPT)
    terminal.after("(ulimit -c 0; exec sh -c 'echo running; read line')\r", "running\r\n")
    terminal.after("\x1c", PROMPT)
    check(terminal.run("echo $?") == ["131"], "Ctrl-\\ did not end the program")
    terminal.type("exit\r")
    end(terminal, 0)


@case
def the_program_alone_gets_the_keys():
    terminal = outer('"$PRODUCT" do -- sh -c "echo running; read line"; echo "status $?"; read line')
    before = settings(terminal)
    terminal.expect("running\r\n")
    check(settings(terminal) != before, "the terminal is not raw while the program runs")
    terminal.type("\x03")
    end(terminal, 130, before)


@case
def a_job_of_the_outer_shell_stops_and_goes_on():
    terminal = Terminal("bash", "--norc", "--noprofile", "-i", PRODUCT=PRODUCT)
    terminal.expect(PROMPT)
    before = settings(terminal)
    terminal.after('"$PRODUCT" do -- sh -c "echo running; read line; echo got \\$line"\r',
                   "\r\nrunning\r\n")
    raw = settings(terminal)
    os.kill(command_of(terminal), signal.SIGTSTP)
    terminal.expect("Stopped")
    terminal.expect(PROMPT)
    check(terminal.run("stty -a | grep -o ' icrnl'") == [" icrnl"], "the shell's terminal is raw")
    terminal.after("fg\r", "line\"\r\n")
    while settings(terminal) != raw:
        pass
    terminal.after("a line\r", "got a line\r\n", PROMPT)
    check(settings(terminal)[2] == before[2], "the terminal's settings were not restored")
    terminal.type("exit\r")
    check(terminal.end() == 0, "the shell failed")


@case
def the_window_is_as_large_as_it_looks():
    terminal = outer('"$PRODUCT" do -- sh -c \'stty size; trap "stty size; exit 3" WINCH; '
                     'echo running; while :; do read line; done\'; echo "status $?"; read line')
    terminal.expect("50 500\r\nrunning\r\n")
    terminal.resize(30, 400)
    terminal.expect("30 400\r\n")
    end(terminal, 3)


@case
def the_terminal_is_given_back_at_the_end():
    terminal = outer('"$PRODUCT" do -- sh -c "stty raw -echo; exit 4"; echo "status $?"; read line')
    before = settings(terminal)
    end(terminal, 4, before)


@case
def the_terminal_is_given_back_when_the_program_is_killed():
    terminal = outer('"$PRODUCT" do -- sh -c "echo running; read line"; echo "status $?"; read line')
    before = settings(terminal)
    terminal.expect("running\r\n")
    os.kill(guest_process(terminal, "/bin/sh"), signal.SIGKILL)
    end(terminal, r"\d+", before)


@case
def the_terminal_is_given_back_when_the_backend_is_killed():
    terminal = outer('"$PRODUCT" do -- sh -c "echo running; read line"; echo "status $?"; read line')
    before = settings(terminal)
    terminal.expect("running\r\n")
    os.kill(children(command_of(terminal))[0], signal.SIGKILL)
    terminal.expect("paravane: sandbox ended: [^\r\n]*\r\n")
    end(terminal, 125, before)


@case
def the_terminal_is_given_back_when_the_command_is_killed():
    terminal = outer('"$PRODUCT" do -- sh -c "echo running; read line"; echo "status $?"; read line')
    before = settings(terminal)
    terminal.expect("running\r\n")
    command = command_of(terminal)
    backend = os.pidfd_open(children(command)[0])
    os.kill(command, signal.SIGKILL)
    # The backend may give the terminal back only after this.
    terminal.expect("status 137\r?\n")
    check(select.select([backend], [], [], 60)[0], "the backend outlives the command")
    os.close(backend)
    check(settings(terminal) == before, "the terminal's settings were not restored")
    terminal.type("\r")
    terminal.end()


@case
def a_trace_on_the_terminal_starts_each_line_at_its_left_edge():
    terminal = outer('"$PRODUCT" do --strace -- sh -c "echo shown"; echo "status $?"; read line')
    text = ""
    while "status 0" not in text:
        text += terminal.read()
    check("write(1, \"shown\\n\", 6" in text, f"there is no trace: {text[-500:]!r}")
    check(re.search(r"(?<!\r)\n", text) is None, "a line ends without a carriage return")
    terminal.type("\r")
    terminal.end()


@case
def messages_on_the_terminal_start_at_its_left_edge():
    terminal = outer('"$PRODUCT" --debug do -- true; echo "status $?"; read line')
    text = ""
    while "status 0" not in text:
        text += terminal.read()
    check("debug: " in text, "--debug says nothing")
    check(re.search(r"(?<!\r)\n", text) is None, "a line ends without a carriage return")
    terminal.type("\r")
    terminal.end()


@case
def pipes_stay_pipes():
    terminal = outer('echo in | "$PRODUCT" do -- sh -c "test -t 0 || cat"; echo "status $?"; read line')
    before = settings(terminal)
    terminal.expect("in\r\n")
    end(terminal, 0, before)


def main():
    arguments = sys.argv[1:]
    if arguments == ["--list"]:
        print("\n".join(CASES))
        return 0
    pattern = arguments[0] if arguments else ""
    failures = 0
    with tempfile.TemporaryDirectory(prefix="paravane-terminals-") as directory:
        os.chdir(directory)
        for name, body in CASES.items():
            if pattern not in name and not fnmatch.fnmatch(name, pattern):
                continue
            start = time.monotonic()
            problem = None
            try:
                body()
            except (Failure, SystemExit) as error:
                problem = str(error)
            failures += problem is not None
            print(f"{'FAIL' if problem else 'PASS'} {name} ({time.monotonic() - start:.1f} s)")
            if problem:
                print(f"    {problem}")
        os.chdir("/")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
