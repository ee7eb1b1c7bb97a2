"""Types into a program on a pseudo-terminal and waits for what it must show.

For the scripts that test interactive programs. What is shown may come in any pieces, so every
step names what it waits for, and no step waits for time.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios

PROMPT = "ready> "
PATIENCE_SECONDS = int(os.environ.get("TERMINAL_PATIENCE", 60))


class Terminal:
    def __init__(self, *words, size=(50, 500), **environment):
        environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "PS1": PROMPT, "LC_ALL": "C",
                       "HOME": os.getcwd(), "INPUTRC": "/dev/null", "HISTFILE": "", **environment}
        self.text = ""
        # The program must find the size at its start, so it waits for a byte.
        gate, opener = os.pipe()
        self.child, self.master = pty.fork()
        if self.child == 0:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.read(gate, 1)
            os.execvpe(words[0], words, environment)
        self.resize(*size)
        os.write(opener, b"x")
        os.close(gate)
        os.close(opener)

    def expect(self, pattern):
        """Waits until the pattern is shown, drops all up to its end, and returns the match."""
        while not (match := re.search(pattern, self.text)):
            if not (piece := self.read(f"{pattern!r} after {self.text[-2000:]!r}")):
                sys.exit(f"the terminal was closed before {pattern!r}: {self.text[-2000:]!r}")
            self.text += piece
        self.text = self.text[match.end():]
        return match

    def read(self, wanted="the end"):
        if not select.select([self.master], [], [], PATIENCE_SECONDS)[0]:
            sys.exit(f"waited {PATIENCE_SECONDS} s in vain for {wanted}")
        try:
            return os.read(self.master, 4096).decode(errors="replace")
        except OSError:  # Linux says EIO when the other side is closed.
            return ""

    def settle(self):
        """Waits until the program in the foreground sleeps.

        A signal between its last check and its read of the next key would stay unseen until that
        key comes: bash and python have that gap on any kernel.
        """
        def state(pid):
            return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0]

        while state(os.tcgetpgrp(self.master)) != "S":
            pass

    def await_job(self):
        """Waits until the shell has given the terminal to a job."""
        while os.tcgetpgrp(self.master) == self.child:
            pass

    def await_mode(self, flag, on):
        """Waits until a local mode of the terminal, as termios.ECHO, is on or off.

        Keys mean what the mode says when they are typed, not when they are read.
        """
        while bool(termios.tcgetattr(self.master)[3] & flag) != on:
            pass

    def type(self, keys):
        os.write(self.master, keys.encode())

    def after(self, keys, *patterns):
        """Types, then waits for each pattern in turn; returns the last match."""
        self.type(keys)
        return [self.expect(pattern) for pattern in patterns][-1]

    def run(self, line):
        """Types a line and returns the lines shown between its echo and the next prompt."""
        self.after(line + "\r", re.escape(line) + "\r\n")
        shown = self.expect(f"(?s)(.*?){PROMPT}")[1].replace("\r", "").split("\n")
        return [text for text in shown if text]

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self):
        os.close(self.master)
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])

    def end(self):
        """Waits until the program closes its terminal and ends; returns its exit status."""
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
