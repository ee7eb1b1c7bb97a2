# Editors and pagers: vim and ed from a script; vim, nano, less and top on a pseudo-terminal.
set -eu
PYTHONPATH=$(cd "$(dirname "$0")" && pwd)
export PYTHONPATH PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD TMPDIR=$PWD
command -v python3 > /dev/null || { echo "SKIP: python3 is not installed"; exit 0; }

seq 1 100 > numbers
if command -v ed > /dev/null; then
  echo "== ed"
  printf '%s\n' '2,99d' '1s/1/one/' a 'new line' . ,n w q | ed -s numbers; cat numbers
  seq 1 100 > numbers
fi
if command -v vim > /dev/null; then
  echo "== vim -es"
  vim -Nu NONE -es -c 'g/[1-9]$/d' -c '%s/0$/ zero/' -c 'wq' numbers || echo "status $?"
  cat numbers
  vim -Nu NONE -es -c 'sort!' -c '%print' -c '%!tac' -c 'wq! sorted' numbers
  cmp numbers sorted || echo "sorted"
  vim -Nu NONE -es -c 'r !echo from a command' -c 'w! output' -c 'cquit 3' || echo "status $?"
  cat output
fi

cat > drive.py <<'END'
import pathlib, shutil
from terminal import Terminal

pathlib.Path("long").write_text("".join(f"line {number} of the file\n" for number in range(1, 501)))

if shutil.which("vim"):
    print("== vim on a terminal")
    pathlib.Path("text").write_text("first\nsecond\nthird\n")
    vim = Terminal("vim", "-Nu", "NONE", "text", size=(24, 80), TERM="xterm")
    vim.after(":set nocompatible ruler\r", "third")
    vim.after("/second\rcwchanged\x1b", "changed")
    vim.after("Goadded at the end\x1b:w\r", "written")
    print(pathlib.Path("text").read_text().split("\n"))
    vim.after(":!echo from a shell\r", "from a shell", "Press ENTER"); vim.after("\r", "changed")
    vim.type(":q\r"); print(vim.end())

if shutil.which("nano"):
    print("== nano on a terminal")
    nano = Terminal("nano", "-I", "letter", size=(24, 80), TERM="xterm")
    nano.expect("New File"); nano.after("Dear reader\rgoodbye", "goodbye")
    nano.after("\x0f", "File Name to Write"); nano.after("\r", "Wrote 2 lines")
    print(pathlib.Path("letter").read_text())
    nano.type("\x18"); print(nano.end())

if shutil.which("less"):
    print("== less on a terminal")
    less = Terminal("less", "long", size=(24, 80), TERM="xterm", LESS="", LESSHISTFILE="-")
    less.expect("line 23 of the file"); less.after(" ", "line 46 of the file")
    less.after("G", "line 500 of the file")
    less.after("g", "line 1 of the file"); less.after("/line 250\r", "line 250.*of the file")
    less.type("q"); print(less.end())
    shell = Terminal("sh", "-c", "seq 1 100000 | less; echo status $?", size=(24, 80), TERM="xterm",
        LESS="", LESSHISTFILE="-")
    shell.expect("\r\n23\r\n"); shell.type("q"); print(shell.expect("status \\d+")[0])
    print(shell.end())

if shutil.which("top"):
    print("== top on a terminal")
    top = Terminal("top", "-d", "0.1", size=(24, 80), TERM="xterm")
    top.expect("Tasks:.*total"); top.expect("PID +USER"); top.expect("%Cpu")
    top.type("q"); print(top.end())
END
python3 -B drive.py
