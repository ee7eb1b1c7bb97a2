"""config-linux.md, Devices: those that are listed, and those that every container has."""

import os
import stat

from box import expect, test
from process import on_terminal

FREE = {"linux.resources.devices": [{"allow": True, "access": "rwm"}]}


def device(path, kind="c", major=1, minor=3, **more):
    entry = {"type": kind, "path": path, **more}
    if kind != "p":
        entry.update(major=major, minor=minor)
    return {"linux.devices": [entry], **FREE}


@test("config-linux/devices/a-listed-one")
def listed(box):
    """devices (array of objects, OPTIONAL) lists devices that MUST be available in the
    container."""
    box.prints("stat -c '%F %t:%T' /dev/other; echo x > /dev/other && echo fine",
               "character special file 1:3\nfine\n", device("/dev/other"))


@test("config-linux/devices/in-a-directory")
def in_directory(box):
    """path (string, REQUIRED) - full path to device inside container."""
    box.prints("stat -c '%F %t:%T' /dev/a/b/other", "character special file 1:3\n",
               device("/dev/a/b/other"))


@test("config-linux/devices/outside-dev")
def outside(box):
    """The path MAY be anywhere in the container filesystem, notably outside of /dev."""
    box.prints("stat -c '%F %t:%T' /special/other", "character special file 1:3\n",
               device("/special/other"))


@test("config-linux/devices/pipe-outside-dev")
def pipe_outside(box):
    """type (string, REQUIRED) - type of device: c, b, u or p. fileMode, uid, gid (uint32, OPTIONAL)
    - file mode, owner and group."""
    for uid, gid in ((0, 0), (5, 6)):
        box.prints(f"stat -c '%F %a %u:%g' /special/of-{uid}", f"fifo 640 {uid}:{gid}\n",
                   device(f"/special/of-{uid}", "p", fileMode=0o640, uid=uid, gid=gid))
    box.prints("echo x > /special/pipe & cat /special/pipe", "x\n",
               device("/special/pipe", "p", fileMode=0o640))


@test("config-linux/devices/mode-and-owner")
def mode(box):
    """fileMode, uid, gid (uint32, OPTIONAL) - file mode, owner and group of the device."""
    box.prints("stat -c '%a %u:%g' /dev/other", "640 5:6\n", device(
        "/dev/other", fileMode=0o640, uid=5, gid=6))


@test("config-linux/devices/block")
def block(box):
    """type (string, REQUIRED) - type of device: c, b, u or p."""
    box.prints("stat -c '%F %t:%T' /dev/disk", "block special file 7:77\n", device(
        "/dev/disk", "b", 7, 0x77))


@test("config-linux/devices/pipe")
def pipe(box):
    """type (string, REQUIRED) - type of device: c, b, u or p."""
    box.prints("stat -c %F /dev/pipe", "fifo\n", device("/dev/pipe", "p"))


@test("config-linux/devices/unbuffered")
def unbuffered(box):
    """type (string, REQUIRED) - type of device: c, b, u or p."""
    box.prints("stat -c '%F %t:%T' /dev/other", "character special file 1:3\n", device(
        "/dev/other", "u"))


@test("config-linux/devices/another-file-there")
def another_file(box):
    """If a file already exists at path that does not match the requested device, the runtime MUST
    generate an error."""
    with open(box.inside("special"), "w"):
        pass
    box.refuses(device("/special"))


@test("config-linux/devices/another-file-there-than-a-pipe")
def another_file_than_pipe(box):
    """If a file already exists at path that does not match the requested device, the runtime MUST
    generate an error."""
    with open(box.inside("special"), "w"):
        pass
    box.refuses(device("/special", "p"))


@test("config-linux/devices/an-unknown-type")
def unknown_type(box):
    """type (string, REQUIRED) - type of device: c, b, u or p."""
    box.refuses(device("/dev/other", "x"))


@test("config-linux/devices/no-path")
def no_path(box):
    """path (string, REQUIRED) - full path to device inside container."""
    box.refuses({"linux.devices": [{"type": "c", "major": 1, "minor": 3}]})


@test("config-linux/devices/no-number")
def no_number(box):
    """major, minor (int64, REQUIRED unless type is p) - major, minor numbers for the device."""
    box.refuses({"linux.devices": [{"type": "c", "path": "/dev/other"}]})


# ---- Default devices


def default_device(name, major, minor):
    @test(f"config-linux/default-devices/{name}")
    def supplied(box):
        """In addition to any devices configured with this setting, the runtime MUST also supply
        /dev/null, /dev/zero, /dev/full, /dev/random, /dev/urandom, /dev/tty and /dev/ptmx."""
        box.prints(f"stat -c '%F %t:%T' /dev/{name}",
                   f"character special file {major}:{minor}\n")


for _name, _major, _minor in (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8),
                              ("urandom", 1, 9), ("tty", 5, 0)):
    default_device(_name, _major, _minor)


@test("config-linux/default-devices/ptmx")
def multiplexer(box):
    """/dev/ptmx: a bind-mount or symlink of the container's /dev/pts/ptmx."""
    box.prints("stat -L -c '%F %t:%T' /dev/ptmx; : 3<>/dev/ptmx && ls /dev/pts",
               "character special file 5:2\nptmx\n")


@test("config-linux/default-devices/work")
def work(box):
    """The runtime MUST also supply /dev/null, /dev/zero, /dev/full, /dev/random and
    /dev/urandom."""
    box.prints("wc -c < /dev/null; for d in zero random urandom; do dd if=/dev/$d bs=16 count=1 "
               "2>/dev/null | wc -c; done; echo x 2>/dev/null > /dev/full || echo full",
               "0\n16\n16\n16\nfull\n")


@test("config-linux/default-devices/console")
def console(box):
    """/dev/console is set up if terminal is enabled in the config by bind mounting the
    pseudoterminal pty to /dev/console."""
    text, _ = on_terminal(box, "stat -c %F /dev/console; echo through > /dev/console", {})
    expect(text == "character special file\nthrough\n", text)


@test("config-linux/default-devices/no-console")
def no_console(box):
    """/dev/console is set up if terminal is enabled in the config."""
    box.prints("test -c /dev/console || echo none", "none\n")


@test("config-linux/default-devices/not-the-host's")
def others(box):
    """Containers MAY NOT access any device node that is not either explicitly referenced in the
    devices array or listed as being part of the default devices."""
    text = box.output("find /dev -type b; find /dev -type c")
    names = set(text.split()) - {f"/dev/{name}" for name in (
        "null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts/ptmx", "console")}
    expect(not names, str(names))


@test("config-linux/allowed-device-list/order")
def allowed(box):
    """devices (array of objects, OPTIONAL) configures the allowed device list. The runtime MUST
    apply entries in the listed order."""
    node = {"linux.devices": [{"type": "c", "path": "/dev/other", "major": 1, "minor": 5}]}
    deny = {"allow": False, "access": "rwm"}
    rule = {"type": "c", "major": 1, "minor": 11, "access": "rwm"}
    process = box.begin({**node, "linux.resources.devices": [
        deny, {**rule, "allow": True}, {**rule, "allow": False}]})["pid"]
    text = box.group(process, "devices", "devices.list")
    expect("c 1:11 " not in text and "a *:*" not in text, text)
    box.run("delete", "--force", "box")
    process = box.begin({**node, "linux.resources.devices": [
        deny, {**rule, "allow": False}, {**rule, "allow": True}]})["pid"]
    text = box.group(process, "devices", "devices.list")
    expect("c 1:11 rwm" in text, text)


@test("config-linux/allowed-device-list/making-nodes")
def making(box):
    """Containers MAY NOT access any device node that is not either explicitly referenced in the
    devices array or listed as being part of the default devices: one that they make, too."""
    box.output("busybox mknod /tmp/memory c 1 1 && dd if=/tmp/memory bs=1 count=1; true", {
        "linux.resources.devices": [{"allow": False, "access": "rwm"}]})
    box.prints("dd if=/tmp/memory bs=1 count=1 2>/dev/null | wc -c", "0\n")
    made = box.inside("tmp", "memory")
    expect(not os.path.exists(made) or stat.S_ISCHR(os.stat(made).st_mode), "a file")
