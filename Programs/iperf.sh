# iperf3: TCP both ways, several streams, UDP; what arrives, not how fast.
# timeout: 60
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
command -v iperf3 > /dev/null || { echo "SKIP: iperf3 is not installed"; exit 0; }

port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); \
print(s.getsockname()[1])')
iperf3 -s --forceflush -B 127.0.0.1 -p "$port" > server.log 2>&1 &
server=$!
until grep -q listening server.log; do :; done
run() {
  until iperf3 -c 127.0.0.1 -p "$port" -J "$@" > report; do
    # The server is busy with the end of the last test.
    grep -q 'server is busy' report || { cat report; exit 1; }
  done
  /usr/bin/python3 - <<'END'
import json
end = json.load(open("report"))["end"]
total = end.get("sum_received") or end["sum"]
print(len(end["streams"]), "streams,", "data" if total["bytes"] > 0 else "nothing", "arrived")
END
}
run -n 40M
run -n 40M -R
run -n 40M -P 4
run -n 20M --bidir
run -u -b 20M -n 2M
run -u -b 20M -n 2M -R
kill $server
