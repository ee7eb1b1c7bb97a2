# What ip, ss and others say of the network.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
for tool in ip ss; do
  command -v $tool > /dev/null || { echo "SKIP: $tool is not installed"; exit 0; }
done

ip -br address show dev lo
ip -o link show dev lo
ip -4 -o address show dev lo
ip -6 -o address show dev lo
ip route show table local dev lo | head -n 5
ip route get 127.0.0.1 | head -n 1
ip -j link show dev lo > link
/usr/bin/python3 -c 'import json; print(json.load(open("link"))[0]["mtu"])'
ip rule
ip link show dev missing 2>&1 || echo "ends with $?"
/usr/bin/python3 - <<'END'
import socket
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(7)
port = listener.getsockname()[1]
rows = [line.split() for line in open("/proc/net/tcp")][1:]
own = [row for row in rows if row[1] == "0100007F:%04X" % port]
print(len(own), own[0][2], own[0][3])
import os
print(os.fstat(listener.fileno()).st_ino == int(own[0][9]))
print(socket.if_nameindex()[0])
END
/usr/bin/python3 - <<'END'
import os, socket, subprocess
tcp = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(tcp.getsockname())
peer, _ = tcp.accept()
udp = socket.socket(type=socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
unix = socket.socket(socket.AF_UNIX)
unix.bind("socket")
unix.listen()
abstract = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
abstract.bind("\0paravane-" + str(os.getpid()))
ports = {str(s.getsockname()[1]): n for n, s in (("T", tcp), ("C", client), ("U", udp))}
def ss(*arguments):
    done = subprocess.run(["ss", "-H", *arguments], capture_output=True, text=True)
    print("ss", arguments[0], "ends with", done.returncode, done.stderr.strip())
    rows = []
    for line in done.stdout.splitlines():
        for port, name in ports.items():
            line = line.replace(":" + port, ":" + name)
        if not arguments[0].startswith("-x") and any(":" + n in line for n in ports.values()):
            rows.append(" ".join(word for word in line.split() if not word.isdigit()))
    for row in sorted(rows):
        print(row)
    return done.stdout
for arguments in ("-tln", "-tan", "-uan", "-tuln", "-tn"):
    ss(arguments)
port = str(tcp.getsockname()[1])
print(len(ss("-tn", "sport = :" + port).splitlines()))
for arguments, name in (("-xl", "socket"), ("-xan", "@paravane-" + str(os.getpid()))):
    found = [line.split() for line in ss(arguments).splitlines() if name in line.split()]
    print(*[(row[0], row[1], row[4] == name) for row in found])
END
