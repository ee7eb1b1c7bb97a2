# nc and socat: TCP and UDP, both ways, IPv6, unix to TCP.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
for tool in nc socat ss; do
  command -v $tool > /dev/null || { echo "SKIP: $tool is not installed"; exit 0; }
done

# A free port; nobody takes it between this and its use, or nearly so.
free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); \
print(s.getsockname()[1])'
}
# Waits until something listens at a port.
listening() { until [ -n "$(ss -Hltn "sport = :$1" 2> /dev/null)" ]; do :; done; }

seq 1 100000 > data
port=$(free_port)
echo "== TCP"
nc -l 127.0.0.1 "$port" > got &
listening "$port"
nc -N 127.0.0.1 "$port" < data
wait
cmp data got && echo same
echo "== IPv6"
nc -l ::1 "$port" > got &
listening "$port"
nc -N ::1 "$port" < data
wait
cmp data got && echo same
echo "== probe"
nc -z 127.0.0.1 "$port" || echo closed
echo "== echo by socat"
socat TCP-LISTEN:"$port",reuseaddr,fork,bind=127.0.0.1 EXEC:cat &
server=$!
listening "$port"
for i in 1 2 3; do echo "line $i" | socat - TCP:127.0.0.1:"$port"; done
kill $server
echo "== UDP"
socat -u UDP-RECVFROM:"$port",bind=127.0.0.1 OPEN:datagram,creat &
until grep -q "$(printf '0100007F:%04X' "$port")" /proc/net/udp; do :; done
echo "a datagram" | socat -u - UDP-SENDTO:127.0.0.1:"$port"
wait %+ || true
cat datagram
echo "== unix to TCP"
socat UNIX-LISTEN:bridge,fork TCP:127.0.0.1:"$port" &
bridge=$!
nc -l 127.0.0.1 "$port" > got &
listener=$!
listening "$port"
until [ -S bridge ]; do :; done
nc -N -U bridge < data
wait $listener
cmp data got && echo same
kill $bridge
