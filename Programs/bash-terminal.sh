# An interactive bash on a pseudo-terminal: editing, Ctrl-C, Ctrl-Z, fg, bg, sizes, hang-up.
set -eu
PYTHONPATH=$(cd "$(dirname "$0")" && pwd)
export PYTHONPATH PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD
command -v python3 > /dev/null || { echo "SKIP: python3 is not installed"; exit 0; }

cat > drive.py <<'END'
import os, re
from termios import ECHO, ICANON
from terminal import PROMPT, Terminal

SHELL = ("bash", "--norc", "--noprofile", "-i")
def start_cat(shell, line="cat"):
    shell.after(line + "\r", re.escape(line) + "\r\n"); shell.await_mode(ICANON, True)

# Says that it runs, then waits for a line of input.
WAITER = "sh -c 'echo running; read line; echo got $line'"

def plain(lines):
    """Job numbers stay, process numbers go, so do runs of blanks."""
    return [re.sub(r"\d{2,}", "N", re.sub(r" +", " ", line)).strip() for line in lines]

shell = Terminal(*SHELL)
shell.expect(PROMPT)
print(shell.run("echo hello; tty > /dev/null && echo on a terminal"))
print(shell.run("test -t 0 && test -t 1 && test -t 2 && echo 3 descriptors"))
print(shell.run("[ $(cut -d' ' -f7 /proc/$$/stat) != 0 ] && echo with a controlling terminal"))
print(shell.run("[ $(cut -d' ' -f6 /proc/$$/stat) = $$ ] && echo leading its session"))

print("== editing")
shell.after("echo wrong\x15echo right\r", "\nright\r\n" + PROMPT); print("Ctrl-U")
shell.after("ehco\x01\x1b[C\x06\x14\x05 swapped\r", "\nswapped\r\n" + PROMPT)
print("Ctrl-A, arrow, Ctrl-T")
shell.after("\x1b[A\x1b[A\r", "\nright\r\n" + PROMPT); print("history")
open("completed-name", "w").close()
shell.after("ls completed-n\t\r", "\ncompleted-name\r\n" + PROMPT); print("completion")

print("== Ctrl-C")
shell.after(WAITER + "\r", "running\r\n"); shell.after("\x03", PROMPT)
print(shell.run("echo status $?"))
shell.after("some words", "some words"); shell.settle(); shell.after("\x03", PROMPT)
print(shell.run("echo status $?"))
start_cat(shell, "cat | cat | cat"); shell.after("line\r", "line\r\nline\r\n")
shell.after("\x03", PROMPT)
print(shell.run("echo ${PIPESTATUS[*]}"))
shell.after("sh -c 'trap \"echo trapped; exit 7\" INT; echo running; read line'\r", "running\r\n")
shell.after("\x03", "trapped\r\n", PROMPT); print(shell.run("echo status $?"))
shell.after("while echo looping; do :; done\r", "looping\r\n"); shell.after("\x03", PROMPT)
print(shell.run("echo status $?")[-1:])

print("== Ctrl-Z, jobs, fg, bg")
shell.after(WAITER + "\r", "running\r\n"); shell.after("\x1a", "Stopped", PROMPT)
print(shell.run("echo status $?"), plain(shell.run("jobs")))
shell.after("fg\r", "line'\r\n"); shell.after("a line\r", "got a line\r\n", PROMPT)
print(shell.run("jobs"))
print(plain(shell.run("(: > started; exec sleep 60) &")))
shell.run("until [ -e started ]; do :; done"); print(plain(shell.run("jobs")))
shell.after("fg\r", "exec sleep 60 \\)\r\n"); shell.await_job()
shell.after("\x1a", "Stopped", PROMPT)
shell.after("bg\r", "sleep 60 \\) &\r\n", PROMPT); print(plain(shell.run("jobs")))
shell.after("kill %1; wait %1\r", "Terminated", PROMPT); print(shell.run("jobs"))

print("== reading and writing in the background")
shell.after("cat &\r", PROMPT)
shell.after("while [ -z \"$(jobs -s)\" ]; do :; done\r", "done\r\n", PROMPT)
print(plain(shell.run("jobs")))
shell.after("fg\r", "\ncat\r\n"); shell.after("to the cat\r", "to the cat\r\nto the cat\r\n")
shell.after("\x04", PROMPT)
shell.run("stty tostop"); shell.after("sh -c 'echo denied' &\r", PROMPT)
shell.after("while [ -z \"$(jobs -s)\" ]; do :; done\r", "done\r\n", PROMPT)
print(plain(shell.run("jobs")))
shell.run("stty -tostop"); shell.after("fg\r", "\ndenied\r\n", PROMPT); print("allowed")

print("== the other control keys")
shell.after("(ulimit -c 0; exec " + WAITER + ")\r", "running\r\n"); shell.after("\x1c", PROMPT)
print(shell.run("echo status $?"))
start_cat(shell); shell.after("half\x04", "halfhalf"); shell.after("\r\x04", PROMPT)
print(shell.run("echo status $?"))
start_cat(shell); shell.after("\x13\x11seen\r", "seen\r\nseen\r\n"); print("Ctrl-S, Ctrl-Q")
shell.after("abc\x7fd \x17ef\x15gh\x16\x03\r", "\ngh\x03\r\n")
print("erase, word erase, kill, quote")
shell.after("\x04", PROMPT)

print("== modes and sizes")
shell.resize(30, 400); print(shell.run("stty size"), shell.run("echo $LINES $COLUMNS"))
shell.after("sh -c 'trap \"stty size; exit\" WINCH; echo running; while :; do read line; done'\r",
    "running\r\n")
shell.resize(40, 500); shell.expect("40 500\r\n"); shell.expect(PROMPT); print("SIGWINCH")
print(shell.run("stty -a | grep -o 'intr = ..; quit = ..; erase = ..'"))
shell.after("read -s -p 'secret: ' word; echo; echo length ${#word}\r", "word.\r\nsecret: ")
shell.await_mode(ECHO, False)
print(shell.after("hidden\r", "(?s)^(.*)length 6\r\n")[1].strip() == ""); shell.expect(PROMPT)
shell.after("read -n1 -p 'key: ' key; echo; echo pressed $key\r", "key\r\nkey: ")
shell.await_mode(ICANON, False)
shell.after("q", "pressed q\r\n", PROMPT)
shell.after("stty raw -echo; echo raw; head -c 3 | od -An -tx1; stty sane\r", "\nraw")
shell.after("\x03\r\x1a", "03 0d 1a", PROMPT)
shell.after("python3 -q\r", ">>> "); shell.after("6 * 7\r", "\r\n42\r\n", ">>> ")
shell.after("import os; os.tcgetpgrp(0) == os.getpgrp()\r", "\r\nTrue\r\n", ">>> ")
shell.settle(); shell.after("\x03", "KeyboardInterrupt\r\n", ">>> "); shell.after("\x04", PROMPT)
print("python on a terminal")

print("== a shell in a shell, and the end")
shell.after("bash --norc --noprofile\r", PROMPT); shell.after("kill -STOP $$\r", "Stopped", PROMPT)
shell.after("fg\r", "--noprofile\r\n", PROMPT); shell.after("exit 5\r", "exit 5\r\n", PROMPT)
print(shell.run("echo status $?"))
shell.type("exit 3\r"); print(shell.end())
other = Terminal(*SHELL); other.expect(PROMPT)
other.run("trap 'echo hung up > hangup; exit' HUP")
other.after(WAITER + "\r", "running\r\n"); other.hang_up(); print(open("hangup").read().strip())
END
python3 -B drive.py
