"""The volume that native and sandboxed runs work in: programs, a project, a repository, files."""

import io
import os
import pathlib
import shutil
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
POSTGRES = str(next(iter(sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))), ""))
INSERTS = 100_000
RULES = 1000

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


def run(*words, cwd, stdout=None, stderr=None, **variables):
    subprocess.run(words, cwd=cwd, env={**environment(cwd), **variables}, check=True,
                   stdout=stdout, stderr=stderr)


def build_programs(volume):
    """micro as any dynamically linked program, and a static one that it starts."""
    run("gcc", "-O2", "-pthread", "-o", "micro", str(HERE / "micro.c"), cwd=volume)
    (volume / "child.c").write_text("int main(void) { return 0; }\n")
    run("gcc", "-O2", "-static", "-o", "child", "child.c", cwd=volume)
    run("gcc", "-O2", "-o", "echo", str(HERE / "echo.c"), cwd=volume)


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


def make_archive(volume, name="files.tar", count=UNPACKED_FILES):
    with tarfile.open(volume / name, "w") as archive:
        for number in range(count):
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


def make_large_repository(volume):
    """50,000 files as an archive, and in a work tree that git(1) has looked at once."""
    make_archive(volume, "large.tar", FOUND_FILES)
    large = volume / "large"
    large.mkdir()
    run("tar", "-xf", "../large.tar", cwd=large)
    run("git", "init", "-q", ".", cwd=large)
    run("git", "add", ".", cwd=large)
    run("git", "commit", "-qm", "First", cwd=large, **GIT)
    run("git", "status", "--porcelain", cwd=large)


def make_site(volume):
    web = volume / "web"
    web.mkdir(exist_ok=True)
    for name, size in (("1k", 1 << 10), ("1m", 1 << 20)):
        (web / name).write_bytes(b"paravane" * (size // 8))


def make_database(volume):
    """What pgbench(1) fills, in the hands of the user that the server runs as."""
    data = volume / "postgres"
    data.mkdir()
    volume.chmod(0o755)
    shutil.chown(data, "postgres", "postgres")
    user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
    run(*user, f"{POSTGRES}/initdb", "-D", str(data), "-A", "trust", "-N", cwd=volume,
        stdout=subprocess.DEVNULL)
    socket = ("-h", str(data), "-U", "postgres")
    control = (*user, f"{POSTGRES}/pg_ctl", "-D", str(data), "-w", "-s", "-l", str(data / "log"))
    run(*control, "-o", f"-c listen_addresses= -c unix_socket_directories={data}", "start",
        cwd=volume)
    try:
        run(f"{POSTGRES}/createdb", *socket, "bench", cwd=volume)
        run(f"{POSTGRES}/pgbench", *socket, "-q", "-i", "-s", "5", "bench", cwd=volume,
            stderr=subprocess.DEVNULL)
    finally:
        run(*control, "stop", cwd=volume)


def make_inserts(volume):
    lines = (f"INSERT INTO t VALUES ({number}, 'row {number}');" for number in range(INSERTS))
    head = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE t (a INTEGER, b TEXT);"
    (volume / "inserts.sql").write_text("\n".join([head, *lines, ""]))


def make_policy(volume):
    """Rules that all are looked at, and none of which has anything to say about this machine."""
    rules = "".join(f"- {{event: accept, address: 10.{number >> 8}.{number & 255}.0/24, "
                    f"port: {number + 1}, action: deny}}\n" for number in range(RULES))
    (volume / "policy.yaml").write_text(f"default: allow\nrules:\n{rules}")
    make_site(volume)


def make_fio_file(volume):
    with open(volume / "fio.data", "wb") as file:
        for _ in range(256):
            file.write(os.urandom(1 << 20))
        os.fsync(file.fileno())


MAKERS = {
    "gcc": make_project, "git": make_repository, "tar": make_archive, "find": make_tree,
    "nginx": make_site, "policy": make_policy, "postgres": make_database, "sqlite": make_inserts,
    "fio": make_fio_file, "large": make_large_repository,
}


def make_material(volume, names):
    """Makes the programs, and what the rows of these names, or with these materials, work on."""
    build_programs(volume)
    for name, make in MAKERS.items():
        if name in names:
            make(volume)
