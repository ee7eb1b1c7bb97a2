"""config.md, Mounts: their order, their sources, and each option that runtimes must know."""

import contextlib
import os
import subprocess

from box import NAMESPACES, expect, test


def volume(box, *names):
    """A directory of the host with files that hold their names."""
    os.makedirs(box.path("data"), exist_ok=True)
    for name in names:
        with open(box.path("data", name), "w") as file:
            file.write(f"{name}\n")
    return box.path("data")


def bind(source, *options, destination="/data", kind="none"):
    return {"mounts+": [{"destination": destination, "type": kind, "source": source,
                         "options": list(options)}]}


def temporary(*options, destination="/data"):
    return {"destination": destination, "type": "tmpfs", "source": "tmpfs",
            "options": list(options)}


# ---- Order and destination


@test("config/mounts/in-the-listed-order")
def order(box):
    """The runtime MUST mount entries in the listed order."""
    source = volume(box, "file")
    below = {"destination": "/m/below", "type": "bind", "source": source, "options": ["bind"]}
    os.makedirs(box.inside("m", "below"))
    box.prints("ls /m/below", "file\n", {"mounts+": [temporary(destination="/m"), below]})
    box.prints("ls /m", "", {"mounts+": [below, temporary(destination="/m")]})


@test("config/mounts/one-over-another")
def over(box):
    """The runtime MUST mount entries in the listed order: the last one on a path is seen."""
    source = volume(box, "file")
    box.prints("ls /data", "file\n", {"mounts+": [temporary(), bind(source, "bind")["mounts+"][0]]})


@test("config/mounts/destination-missing")
def no_destination(box):
    """destination (string, REQUIRED) destination of mount point: path inside container."""
    box.refuses({"mounts+": [{"type": "tmpfs", "source": "tmpfs"}]})


@test("config/mounts/destination-relative")
def relative(box):
    """This value SHOULD be an absolute path. It MAY be a relative path, in which case it MUST be
    interpreted as relative to "/"."""
    box.prints("ls /data", "file\n", bind(volume(box, "file"), "bind", destination="data"))


@test("config/mounts/destination-by-links")
def links(box):
    """destination: path inside container. What a link leads to is inside, too."""
    os.symlink("/tmp/../../../../tmp/there", box.inside("link"))
    os.mkdir(box.inside("tmp", "there"))
    box.prints("ls /tmp/there", "file\n", bind(volume(box, "file"), "bind", destination="/link"))


# ---- Source and type


@test("config/mounts/source-directory")
def directory(box):
    """source: a file or directory name for bind mounts."""
    box.prints("cat /data/file", "file\n", bind(volume(box, "file"), "bind"))


@test("config/mounts/source-file")
def file(box):
    """source: a file or directory name for bind mounts."""
    source = os.path.join(volume(box, "file"), "file")
    box.prints("cat /etc/there", "file\n", bind(source, "bind", destination="/etc/there"))


@test("config/mounts/source-relative")
def source_relative(box):
    """Path values for bind mounts are either absolute or relative to the bundle."""
    os.mkdir(os.path.join(box.bundle, "volume"))
    box.prints("touch /data/mark && echo fine", "fine\n", bind("volume", "bind"), cwd="/")
    expect(os.path.exists(os.path.join(box.bundle, "volume", "mark")), "elsewhere")


@test("config/mounts/source-missing")
def source_missing(box):
    """Runtimes MUST generate an error when invalid values are encountered: a source that isn't
    there."""
    box.refuses(bind(box.path("missing"), "bind"))


def dummy_type(kind, option):
    @test(f"config/mounts/{option}-of-type-{kind}")
    def is_bound(box):
        """A mount is a bind mount if it has either bind or rbind in the options. The type is a
        dummy then, often "none"."""
        box.prints("cat /data/file", "file\n", bind(volume(box, "file"), option, kind=kind))


for _kind, _option in (("none", "bind"), ("none", "rbind"), ("ext4", "rbind"), ("bind", "bind")):
    dummy_type(_kind, _option)


@test("config/mounts/an-unknown-type")
def unknown_type(box):
    """Linux: filesystem types supported by the kernel as listed in /proc/filesystems; runtimes MUST
    generate an error when invalid or unsupported values are encountered."""
    box.refuses({"mounts+": [{"destination": "/data", "type": "nosuchfs", "source": "x"}]})


@test("config/mounts/an-unknown-option")
def unknown_option(box):
    """Runtimes MUST generate an error when invalid or unsupported values are encountered."""
    box.refuses({"mounts+": [temporary("nosuchoption")]})


@test("config/mounts/an-unknown-option-of-a-bind")
def unknown_bind_option(box):
    """Runtimes MUST generate an error when invalid or unsupported values are encountered."""
    box.refuses(bind(volume(box, "file"), "bind", "nosuchoption"))


def file_system(kind, source, expected):
    @test(f"config/mounts/type-{kind}")
    def mounted(box):
        """type (string, OPTIONAL) the type of the filesystem to be mounted."""
        found = box.mounted("/data", {"mounts+": [
            {"destination": "/data", "type": kind, "source": source}]})
        expect(found[0] in expected, str(found))


for _kind in ("tmpfs", "proc", "sysfs", "mqueue"):
    file_system(_kind, _kind, [_kind])
file_system("cgroup", "cgroup", ["cgroup2", "tmpfs"])


# ---- Options


# What mount(8) calls them, and what mountinfo says of it; nothing where the kernel doesn't say.
WORDS = {
    "MUST": {
        "async": None, "atime": None, "defaults": None, "dev": None, "diratime": None,
        "dirsync": "dirsync", "exec": None, "iversion": None, "lazytime": "lazytime", "loud": None,
        "noatime": "noatime", "nodev": "nodev", "nodiratime": "nodiratime", "noexec": "noexec",
        "noiversion": None, "nolazytime": None, "norelatime": None, "nostrictatime": None,
        "nosuid": "nosuid", "private": None, "relatime": "relatime", "ro": "ro",
        "rprivate": None, "rshared": None, "rslave": None, "runbindable": None, "rw": "rw",
        "shared": None, "silent": None, "slave": None, "strictatime": None, "suid": None,
        "sync": "sync", "unbindable": None,
    },
    "SHOULD": {
        "nosymfollow": "nosymfollow", "ratime": None, "rdev": None, "rdiratime": None,
        "rexec": None, "rnoatime": "noatime", "rnodev": "nodev", "rnodiratime": "nodiratime",
        "rnoexec": "noexec", "rnorelatime": None, "rnostrictatime": None, "rnosuid": "nosuid",
        "rnosymfollow": "nosymfollow", "rrelatime": "relatime", "rro": "ro", "rrw": "rw",
        "rstrictatime": None, "rsuid": None, "rsymfollow": None, "symfollow": None,
    },
}


def option(word, level, shown):
    @test(f"config/linux-mount-options/{word}",
          f"Runtimes {level} implement the option string {word}.")
    def known(box):
        _, options, own = box.mounted("/data", {"mounts+": [temporary(word)]})
        expect(shown is None or shown in options + own, f"{options} {own}")


for _level, _words in WORDS.items():
    for _word, _shown in _words.items():
        option(_word, _level, _shown)


def attempt(box, script, *options, status=0):
    """What becomes of an attempt in a volume that is bound."""
    source = volume(box, "file")
    program = os.path.join(source, "program")
    with open(program, "w") as file:
        file.write("#!/bin/sh\necho ran\n")
    os.chmod(program, 0o755)
    return box.output(f"({script}) 2>/dev/null || echo refused", bind(source, *options))


@test("config/linux-mount-options/ro-refuses-writing")
def read_only(box):
    """Runtimes MUST implement the option string ro: of a bind mount, too."""
    expect(attempt(box, "echo x > /data/new", "bind", "ro") == "refused\n", "written")
    expect(attempt(box, "echo x > /data/new && echo done", "bind", "rw") == "done\n", "refused")


@test("config/linux-mount-options/noexec-refuses-programs")
def no_execution(box):
    """Runtimes MUST implement the option string noexec: of a bind mount, too."""
    expect(attempt(box, "/data/program", "bind", "noexec") == "refused\n", "it ran")
    expect(attempt(box, "/data/program", "bind", "exec") == "ran\n", "refused")


@test("config/linux-mount-options/nosuid-gives-no-identity")
def no_identity(box):
    """Runtimes MUST implement the option string nosuid: programs there give no other identity."""
    source = volume(box)
    # The shell of busybox gives up what it got from its file's owner.
    subprocess.run(["gcc", "-static", "-x", "c", "-o", f"{source}/who", "-"], check=True, text=True,
                   input="#include <stdio.h>\n#include <unistd.h>\n"
                         'int main(void) { return printf("%d\\n", (int)geteuid()) < 0; }\n')
    os.chmod(f"{source}/who", 0o4755)
    user = {"process.user": {"uid": 1000, "gid": 1000}, "process.capabilities": {
        "bounding": ["CAP_SETUID"]}}
    box.prints("/data/who", "1000\n", {**bind(source, "bind", "nosuid"), **user})
    box.prints("/data/who", "0\n", {**bind(source, "bind", "suid"), **user})


@test("config/linux-mount-options/nosymfollow-refuses-links")
def no_links(box):
    """Runtimes SHOULD implement the option string nosymfollow."""
    os.symlink("file", os.path.join(volume(box, "file"), "link"))
    expect(attempt(box, "cat /data/link", "bind", "nosymfollow") == "refused\n", "followed")
    expect(attempt(box, "cat /data/link", "bind") == "file\n", "refused")


@contextlib.contextmanager
def nested_volume(box):
    """A volume below whose directory `below` lies a file system of its own."""
    source = volume(box, "file")
    os.makedirs(f"{source}/below", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{source}/below"], check=True)
    try:
        with open(f"{source}/below/deep", "w"):
            pass
        yield source
    finally:
        subprocess.run(["umount", f"{source}/below"], check=True)


def submounts(box, *options):
    """Binds a volume with a mount below; what is seen there, and if it can be written to."""
    with nested_volume(box) as source:
        return box.output("ls /data/below; echo x 2>/dev/null > /data/below/new || echo refused",
                          bind(source, *options))


@test("config/linux-mount-options/bind")
def bind_alone(box):
    """Runtimes MUST implement the option string bind: without the mounts below."""
    expect(submounts(box, "bind") == "", "what is mounted below is there")


@test("config/linux-mount-options/rbind")
def bind_recursively(box):
    """Runtimes MUST implement the option string rbind: with the mounts below."""
    expect(submounts(box, "rbind") == "deep\n", "what is mounted below is not there")


@test("config/linux-mount-options/rro-with-mounts-below")
def recursively_read_only(box):
    """Runtimes SHOULD implement the option string rro: of the mounts below, too."""
    expect(submounts(box, "rbind", "rro") == "deep\nrefused\n", "written")


@test("config/linux-mount-options/remount")
def remount(box):
    """Runtimes MUST implement the option string remount."""
    box.prints("touch /data/x 2>/dev/null || echo refused", "refused\n", {"mounts+": [
        temporary(), temporary("remount", "ro")]})


@test("config/linux-mount-options/tmpcopyup")
def copy_up(box):
    """Runtimes MAY implement the option string tmpcopyup: the contents are copied up into a
    tmpfs."""
    os.mkdir(box.inside("data"))
    with open(box.inside("data", "file"), "w") as file:
        file.write("file\n")
    box.prints("cat /data/file; touch /data/new; ls /data", "file\nfile\nnew\n",
               {"mounts+": [temporary("tmpcopyup")]})
    expect(not os.path.exists(box.inside("data", "new")), "it was written through")


MAP = [{"containerID": 0, "hostID": 1000, "size": 10}]


def owners(box, *options, changes=(), **more):
    """Who owns what is in a volume of the user 3, and what is mounted below it."""
    with nested_volume(box) as source:
        for path in (source, f"{source}/file", f"{source}/below", f"{source}/below/deep"):
            os.chown(path, 3, 3)
        mount = {**bind(source, *options)["mounts+"][0], **more}
        text = box.output(
            "cd /data; stat -c %u:%g file below/deep; touch new && stat -c %u:%g new; rm -f new",
            {"mounts+": [mount], **dict(changes)})
        return text.split()


@test("config/linux-mount-options/idmap")
def mapped(box):
    """Runtimes SHOULD implement the option string idmap: owners are those of the mapping."""
    found = owners(box, "rbind", "idmap", uidMappings=MAP, gidMappings=MAP,
                   changes={"process.user": {"uid": 1003, "gid": 1003}})
    expect(found == ["1003:1003", "3:3", "1003:1003"], str(found))


@test("config/linux-mount-options/ridmap")
def mapped_recursively(box):
    """Runtimes SHOULD implement the option string ridmap: of the mounts below, too."""
    found = owners(box, "rbind", "ridmap", uidMappings=MAP, gidMappings=MAP,
                   changes={"process.user": {"uid": 1003, "gid": 1003}})
    expect(found == ["1003:1003"] * 3, str(found))


@test("config/linux-mount-options/idmap-of-the-container")
def mapped_as_container(box):
    """uidMappings: where a mount has none, the runtime MAY use those of the container, so that
    the owners of files are the same numbers inside."""
    for path in (box.scratch, box.bundle, box.inside()):
        os.chmod(path, 0o755)
        os.chown(path, 100000, 100000)
    found = owners(box, "rbind", "ridmap", changes={
        "linux.namespaces": [*NAMESPACES, {"type": "user"}], "linux.uidMappings": CONTAINER_MAP,
        "linux.gidMappings": CONTAINER_MAP, "process.user": {"uid": 3, "gid": 3}})
    expect(found == ["3:3"] * 3, str(found))


CONTAINER_MAP = [{"containerID": 0, "hostID": 100000, "size": 65536}]


@test("config/linux-mount-options/idmap-without-mappings")
def mapped_by_nothing(box):
    """If the runtime cannot apply a property as specified in the configuration, it MUST generate an
    error: there are no ids to map."""
    box.refuses(bind(volume(box, "file"), "bind", "idmap"))


@test("config/linux-mount-options/idmap-of-a-file-system-that-can-not")
def mapped_impossibly(box):
    """If the runtime cannot apply a property as specified in the configuration, it MUST generate an
    error: an overlay maps no ids."""
    for name in ("lower", "upper", "work", "merged"):
        os.mkdir(box.path(name))
    subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={box.path('lower')},upperdir="
                    f"{box.path('upper')},workdir={box.path('work')}", "overlay",
                    box.path("merged")], check=True)
    try:
        mount = {**bind(box.path("merged"), "bind", "idmap")["mounts+"][0], "uidMappings": MAP,
                 "gidMappings": MAP}
        box.refuses({"mounts+": [mount]})
    finally:
        subprocess.run(["umount", box.path("merged")], check=True)


@test("config/linux-mount-options/of-the-file-system")
def own_options(box):
    """options: both filesystem-independent and filesystem-specific options are listed in
    mount(8)."""
    box.prints("stat -c %a:%u:%g /data; dd if=/dev/zero of=/data/x bs=4096 count=20 2>/dev/null; "
               "stat -c %s /data/x", "750:5:6\n65536\n", {"mounts+": [
                   temporary("mode=750", "uid=5", "gid=6", "size=64k")]})


@test("config/linux-mount-options/the-last-word-holds")
def last_word(box):
    """Options are those of mount(8), where of words that contradict each other the last one
    holds."""
    expect(attempt(box, "echo x > /data/new && echo done", "bind", "ro", "rw") == "done\n", "ro")
    expect(attempt(box, "echo x > /data/new", "bind", "rw", "ro") == "refused\n", "rw")
