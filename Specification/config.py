"""config.md: the version, the root, names, annotations, and what is not in the specification."""

import json
import os

from box import ABSENT, NAMESPACES, expect, test, without


# ---- Specification version


def version_is_taken(version):
    @test(f"config/specification-version/{version}")
    def taken(box):
        """ociVersion (string, REQUIRED) MUST be in SemVer v2.0.0 format. A configuration compliant
        with a version is compatible with all runtimes that support that or any later release of the
        same major version."""
        box.prints("echo fine", "fine\n", {"ociVersion": version})


for _version in ("1.0.0", "1.0.2-dev", "1.0.0-rc5+build.1"):
    version_is_taken(_version)


def version_is_refused(name, version):
    @test(f"config/specification-version/{name}")
    def refused(box):
        """ociVersion (string, REQUIRED) MUST be in SemVer v2.0.0 format, and runtimes MUST generate
        an error when invalid or unsupported values are encountered."""
        box.refuses({"ociVersion": version})


for _name, _version in (("missing", ABSENT), ("empty", ""), ("not-a-version", "one"),
                        ("too-short", "1.0"), ("too-long", "1.0.0.0"), ("another-major", "2.0.0")):
    version_is_refused(_name, _version)


# ---- Root


@test("config/root/missing")
def root_missing(box):
    """On all other platforms, this field is REQUIRED."""
    box.refuses({"root": ABSENT})


@test("config/root/path-missing")
def path_missing(box):
    """path (string, REQUIRED) specifies the path to the root filesystem for the container."""
    box.refuses({"root": {"readonly": True}})


@test("config/root/no-directory-there")
def root_not_there(box):
    """A directory MUST exist at the path declared by the field."""
    box.refuses({"root.path": "missing"})


@test("config/root/a-file-there")
def root_file(box):
    """A directory MUST exist at the path declared by the field."""
    box.refuses({"root.path": "rootfs/bin/busybox"})


@test("config/root/relative")
def root_relative(box):
    """path is either an absolute path or a relative path to the bundle."""
    os.rename(box.inside(), os.path.join(box.bundle, "other"))
    box.prints("echo fine", "fine\n", {"root.path": "other"}, cwd="/")


@test("config/root/absolute")
def root_absolute(box):
    """path is either an absolute path or a relative path to the bundle."""
    os.rename(box.inside(), box.path("elsewhere"))
    box.prints("echo fine", "fine\n", {"root.path": box.path("elsewhere")})


@test("config/root/read-only")
def root_read_only(box):
    """readonly (bool, OPTIONAL): if true then the root filesystem MUST be read-only inside the
    container."""
    box.prints("echo x 2>/dev/null > /mark || echo refused", "refused\n", {"root.readonly": True})
    expect(not os.path.exists(box.inside("mark")), "it was written")


@test("config/root/writable")
def root_writable(box):
    """readonly defaults to false."""
    box.prints("echo x > /mark && echo written", "written\n")
    expect(os.path.exists(box.inside("mark")), "not on the host")


@test("config/root/read-only-but-mounts-are-not")
def root_read_only_mounts(box):
    """If true then the root filesystem MUST be read-only inside the container: mounts beyond the
    root have their own options."""
    box.prints("echo x > /data/mark && echo written", "written\n", {
        "root.readonly": True, "mounts+": [
            {"destination": "/data", "type": "tmpfs", "source": "tmpfs"}]})


# ---- Names


@test("config/hostname/is-seen")
def hostname(box):
    """hostname (string, OPTIONAL) specifies the container's hostname as seen by processes running
    inside the container."""
    box.prints("hostname; cat /proc/sys/kernel/hostname", "dalloway\ndalloway\n",
               {"hostname": "dalloway"})
    expect(os.uname().nodename != "dalloway", "the host's")


@test("config/hostname/none")
def hostname_none(box):
    """Without it the container has the hostname that it was made with: the runtime's."""
    box.prints("hostname", os.uname().nodename + "\n")


@test("config/hostname/not-without-a-namespace")
def hostname_shared(box):
    """On Linux this will change the hostname in the container's UTS namespace, which may be the
    runtime's: that of the host MUST NOT be changed without being asked for."""
    before = os.uname().nodename
    box.refuses({"hostname": "dalloway", "linux.namespaces": without("uts")})
    expect(os.uname().nodename == before, "the host has another name")


@test("config/domainname/is-seen")
def domainname(box):
    """domainname (string, OPTIONAL) specifies the container's domainname as seen by processes
    running inside the container."""
    box.prints("cat /proc/sys/kernel/domainname", "example.org\n", {"domainname": "example.org"})


# ---- Annotations


@test("config/annotations/unknown-ones")
def annotations_unknown(box):
    """Implementations MUST NOT generate an error if they encounter an unknown annotation key."""
    box.prints("echo fine", "fine\n", {"annotations": {"com.example.gpu-cores": "2", "x": "y"}})


@test("config/annotations/empty-values")
def annotations_empty(box):
    """Values MUST be strings. Values MAY be an empty string."""
    box.prints("echo fine", "fine\n", {"annotations": {"com.example.empty": ""}})


@test("config/annotations/values-that-are-not-strings")
def annotations_numbers(box):
    """Values MUST be strings."""
    box.refuses({"annotations": {"com.example.number": 2}})


@test("config/annotations/an-empty-key")
def annotations_key(box):
    """Keys MUST NOT be an empty string."""
    box.refuses({"annotations": {"": "x"}})


@test("config/annotations/not-a-map")
def annotations_list(box):
    """Annotations MUST be a key-value map."""
    box.refuses({"annotations": ["x"]})


# ---- Extensibility and valid values


def unknown_property(place):
    @test(f"config/extensibility/{place or 'top'}")
    def ignored(box):
        """Runtimes MAY log unknown properties but MUST otherwise ignore them. That includes not
        generating errors if they encounter an unknown property."""
        name = f"{place}.comExample" if place else "comExample"
        box.prints("echo fine", "fine\n", {name: {"a": [1, None, "x"]}})


for _place in ("", "root", "process", "process.user", "linux", "linux.resources",
               "linux.resources.memory", "hooks"):
    unknown_property(_place)


def wrong_value(name, value):
    @test(f"config/valid-values/{name}")
    def refused(box):
        """Runtimes that are reading or processing this configuration file MUST generate an error
        when invalid or unsupported values are encountered."""
        box.refuses({name: value})


for _field, _value in (
        ("root", "rootfs"), ("root.readonly", "yes"), ("mounts", {}), ("process.args", "sh"),
        ("process.env", [1]), ("process.terminal", "no"), ("process.user.uid", -1),
        ("process.user.gid", "root"), ("process.user.additionalGids", [1 << 32]),
        ("hostname", 5), ("hooks", []), ("linux.namespaces", [{}]), ("linux.sysctl", ["x"]),
        ("linux.resources.pids.limit", "many"), ("linux.maskedPaths", "/proc/kcore")):
    wrong_value(_field, _value)


@test("config/valid-values/no-json")
def no_json(box):
    """Runtimes MUST generate an error when invalid values are encountered: text that isn't JSON."""
    path = os.path.join(box.bundle, "config.json")
    os.truncate(path, os.path.getsize(path) - 1)
    box.error("create", "--bundle", box.bundle, "box")
    box.is_missing()


@test("config/platform-specific/no-linux-section")
def no_linux(box):
    """linux (object, OPTIONAL): a container without it has the runtime's own namespaces."""
    box.prints("hostname", os.uname().nodename + "\n", {"linux": {
        "namespaces": [entry for entry in NAMESPACES if entry["type"] == "mount"]}})
    expect(json.loads(box.run("list", "--format", "json")) in (None, []), "it is left")
