"""The volume that native and sandboxed runs work in: programs, a project, a repository, files."""

import io
import os
import pathlib
import subprocess
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C"}
GIT = {f"GIT_{who}_{what}": value
       for who in ("AUTHOR", "COMMITTER")
       for what, value in (("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1000000000 +0000"))}

PROJECT_FILES = 60
CLONED_FILES = 1000
UNPACKED_FILES = 10_000
FOUND_FILES = 50_000

MAKEFILE = """\
program: $(patsubst %.c,%.o,$(wildcard *.c))
\tgcc -o $@ $^
%.o: %.c
\tgcc -O1 -c -o $@ $<
clean:
\trm -f program *.o
"""


def environment(volume):
    return {**ENVIRONMENT, "HOME": str(volume)}


def run(*words, cwd, **variables):
    subprocess.run(words, cwd=cwd, env={**environment(cwd), **variables}, check=True)


def build_programs(volume):
    """micro as any dynamically linked program, and a static one that it starts."""
    run("gcc", "-O2", "-pthread", "-o", "micro", str(HERE / "micro.c"), cwd=volume)
    (volume / "child.c").write_text("int main(void) { return 0; }\n")
    run("gcc", "-O2", "-static", "-o", "child", "child.c", cwd=volume)


def make_project(volume):
    project = volume / "project"
    project.mkdir()
    for number in range(PROJECT_FILES):
        following = (number + 1) % PROJECT_FILES
        (project / f"f{number}.c").write_text(
            "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
            f"int f{following}(int);\n"
            f"int f{number}(int depth) {{\n  char text[64];\n  int sum = {number};\n"
            "  for (int n = 0; n < 10; n++) sum += n * depth;\n"
            '  snprintf(text, sizeof text, "%d", sum);\n'
            f"  return depth > 0 ? (int)strlen(text) + f{following}(depth - 1) : sum;\n}}\n")
    (project / "main.c").write_text("int f0(int);\nint main(void) { return f0(9) == 0; }\n")
    (project / "Makefile").write_text(MAKEFILE)


def make_repository(volume):
    repository = volume / "repository"
    repository.mkdir()
    run("git", "init", "-q", ".", cwd=repository)
    for number in range(CLONED_FILES):
        directory = repository / f"d{number % 20}"
        directory.mkdir(exist_ok=True)
        (directory / f"f{number}").write_text("".join(f"{number * line}\n" for line in range(60)))
    run("git", "add", ".", cwd=repository)
    run("git", "commit", "-qm", "First", cwd=repository, **GIT)
    run("git", "gc", "-q", cwd=repository)


def make_archive(volume):
    with tarfile.open(volume / "files.tar", "w") as archive:
        for number in range(UNPACKED_FILES):
            data = f"{number}\n".encode() * 100
            entry = tarfile.TarInfo(f"d{number % 100}/f{number}")
            entry.size, entry.mtime = len(data), 10**9
            archive.addfile(entry, io.BytesIO(data))


def make_tree(volume):
    for directory in range(500):
        place = volume / "tree" / f"d{directory % 20}" / f"d{directory}"
        place.mkdir(parents=True)
        for number in range(FOUND_FILES // 500):
            os.close(os.open(place / f"f{number}", os.O_CREAT | os.O_WRONLY, 0o644))


MAKERS = {"gcc": make_project, "git": make_repository, "tar": make_archive, "find": make_tree}


def make_material(volume, row_names):
    """Makes the programs, and what the named rows work on."""
    build_programs(volume)
    for name, make in MAKERS.items():
        if name in row_names:
            make(volume)
