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
