"""Makes a small image from the host's own busybox, as `docker save` writes one.

    image.py FILE.tar

podman, docker and ctr load it as localhost/paravane-test. No registry is asked.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile

BUSYBOX = "/bin/busybox"
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n",
    "etc/group": "root:x:0:\nuser:x:1000:\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/resolv.conf": "",
    "etc/os-release": "NAME=paravane-test\n",
}
DIRECTORIES = ["bin", "dev", "etc", "home", "home/user", "proc", "root", "run", "sys", "tmp", "var"]


def add(archive, name, data, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))


def layer():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in DIRECTORIES:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        with open(BUSYBOX, "rb") as file:
            add(archive, "bin/busybox", file.read(), 0o755)
        applets = subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True)
        for applet in applets.stdout.split():
            if applet == "busybox":
                continue
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
        for name, text in FILES.items():
            add(archive, name, text.encode())
        add(archive, "bin/pause", b"#!/bin/sh\nexec sleep 100000\n", 0o755)
    return buffer.getvalue()


def write(path):
    """Images of one layer: a shell, also by the name that pages have, and one for pods."""
    data = layer()
    digest = hashlib.sha256(data).hexdigest()
    manifest = []
    with tarfile.open(path, "w") as archive:
        for tag, command in (("test", "sh"), ("pause", "/bin/pause")):
            config = json.dumps({
                "architecture": "amd64", "os": "linux",
                "config": {"Env": ["PATH=/bin"], "Cmd": [command]},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
                "history": [{"created_by": "paravane"}],
            }).encode()
            name = hashlib.sha256(config).hexdigest()
            add(archive, f"{name}.json", config)
            manifest.append({
                "Config": f"{name}.json", "RepoTags": [f"localhost/paravane-{tag}:latest", *(
                    ["docker.io/library/busybox:latest"] if tag == "test" else [])],
                "Layers": [f"{digest}/layer.tar"],
            })
        add(archive, f"{digest}/layer.tar", data)
        add(archive, "manifest.json", json.dumps(manifest).encode())


if __name__ == "__main__":
    write(sys.argv[1])
