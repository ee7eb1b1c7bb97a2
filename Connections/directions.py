"""Servers inside with clients outside, and the reverse: one row of software a case.

Each row has a script that serves and one that asks. They are run twice: with the server in a
sandbox and the client on the host, and the other way round; the client must print the same.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile

from sandboxes import LIMIT, ROOT, Failure, case, equal, product, wait_for

PREAMBLE = """
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD
export NODE_NO_WARNINGS=1
"""


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def command(place, directory, script):
    """A shell script on the host or in a sandbox, in a directory that both see."""
    shell = ["bash", "-c", PREAMBLE + script]
    if place == "outside":
        return shell
    return [product(), "do", "--network", "host", "--volume", f"{directory}:{directory}",
            "--cwd", directory, "--", *shell]


@contextlib.contextmanager
def serving(place, directory, script, ready):
    """Runs a server until the client has what it wants; `ready` says in a script when that is."""
    with open(os.path.join(directory, "server.log"), "wb") as log:
        server = subprocess.Popen(command(place, directory, script), cwd=directory, stdout=log,
                                  stderr=log, stdin=subprocess.DEVNULL)

    def serves():
        return subprocess.run(["bash", "-c", PREAMBLE + ready], cwd=directory,
                              capture_output=True).returncode == 0

    try:
        wait_for(lambda: server.poll() is not None or serves())
        if server.poll() is not None:
            with open(os.path.join(directory, "server.log"), errors="replace") as log:
                raise Failure(f"the server {place} does not serve: {log.read()[-600:]}")
        yield
    finally:
        server.terminate()
        try:
            server.wait(LIMIT)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise Failure(f"the server {place} does not end") from None


def ask(place, directory, script):
    done = subprocess.run(command(place, directory, script), cwd=directory, capture_output=True,
                          text=True, errors="replace", timeout=LIMIT,
                          stdin=subprocess.DEVNULL)
    equal(done.returncode, 0, f"the client {place} ({done.stderr.strip()[-600:]})")
    return done.stdout


def both_ways(name, tools, server, client, answer, ready="", prepare="", cleanup=""):
    """Adds a case. In the scripts PORT stands for a free port."""

    def run():
        for tool in tools:
            if not shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin"):
                raise Failure(f"{tool} is not installed")
        for place, other in (("inside", "outside"), ("outside", "inside")):
            with tempfile.TemporaryDirectory(prefix="directions-", dir="/var/tmp") as directory:
                os.chmod(directory, 0o755)
                port = free_port()

                def filled(script, port=port):
                    return script.replace("PORT", str(port))

                if prepare:
                    ask("outside", directory, filled(prepare))
                listens = ready or "[ -n \"$(ss -Hltn 'sport = :PORT')\" ]"
                try:
                    with serving(place, directory, filled(server), filled(listens)):
                        found = ask(other, directory, filled(client))
                finally:
                    if cleanup:
                        ask("outside", directory, cleanup)
                equal(found, answer, f"what the client {other} got")

    run.__name__ = f"both_ways_{name}"
    case(run)


FETCH = """
curl -sS http://127.0.0.1:PORT/file | cmp - file && echo same
wget -q -O got http://127.0.0.1:PORT/file && cmp got file && echo same
"""
SITE = "seq 1 100000 > file"

both_ways(
    "redis", ["redis-server", "redis-cli", "redis-benchmark"],
    "exec redis-server --port PORT --bind 127.0.0.1 --save '' --appendonly yes --dir $PWD",
    """
cli() { redis-cli -p PORT "$@"; }
cli set a b; cli append a c; cli get a
seq 1 2000 | sed 's/.*/SET k& v/' | cli --pipe | tail -n 1
cli dbsize
redis-benchmark -p PORT -n 1000 -c 10 -P 4 -t set,get -q --csv | cut -d, -f1
""", "OK\n2\nbc\nerrors: 0, replies: 2000\n2001\n\"test\"\n\"SET\"\n\"GET\"\n")

both_ways(
    "nginx", ["nginx", "curl", "wget"],
    "exec nginx -e stderr -p $PWD -c $PWD/nginx.conf", FETCH, "same\nsame\n", prepare=SITE + """
cat > nginx.conf <<END
user root; daemon off; worker_processes 2; pid $PWD/pid;
events {}
http {
  access_log off; sendfile on;
  client_body_temp_path $PWD; proxy_temp_path $PWD; fastcgi_temp_path $PWD;
  uwsgi_temp_path $PWD; scgi_temp_path $PWD;
  server { listen 127.0.0.1:PORT; root $PWD; }
}
END
""")

POSTGRES = "export PATH=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1):$PATH PGUSER=postgres\n"
both_ways(
    "postgresql", ["setpriv"], POSTGRES + """
mkdir data run; chown postgres data run; chmod 711 .
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
as_postgres initdb -D data --auth=trust --no-sync > initdb.log
exec setpriv --reuid=postgres --regid=postgres --clear-groups \
  postgres -D data -p PORT -h 127.0.0.1 -k $PWD/run -F
""", POSTGRES + """
at="-h 127.0.0.1 -p PORT"
psql $at -Atqc 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS n'
psql $at -Atqc 'SELECT count(*), sum(n) FROM t'
psql $at -Atqc 'COPY t TO STDOUT' | wc -l
pgbench $at -i -q > log 2>&1 && pgbench $at -n -c 4 -t 20 2>&1 | grep 'actually processed'
""", "1000|500500\n1000\nnumber of transactions actually processed: 80/80\n",
    ready=POSTGRES + "pg_isready -q -h 127.0.0.1 -p PORT")

both_ways(
    "memcached", ["memcached"], "exec memcached -u root -l 127.0.0.1 -p PORT -U 0 -t 2",
    r"""
exec 3<> /dev/tcp/127.0.0.1/PORT
printf 'set k 0 0 5\r\nhello\r\nget k\r\nincr n 1\r\nquit\r\n' >&3
tr -d '\r' <&3
""", "STORED\nVALUE k 0 5\nhello\nEND\nNOT_FOUND\n")

both_ways(
    "http", ["python3", "curl", "wget"],
    "exec /usr/bin/python3 -m http.server PORT --bind 127.0.0.1", FETCH, "same\nsame\n",
    prepare=SITE)

both_ways(
    "asyncio", ["python3"], """
exec /usr/bin/python3 -c '
import asyncio
async def answer(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
async def main():
    async with await asyncio.start_server(answer, "127.0.0.1", PORT) as server:
        await server.serve_forever()
asyncio.run(main())'
""", """
/usr/bin/python3 -c '
import asyncio
async def ask(name):
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    for i in range(20):
        writer.write(b"%s %d\\n" % (name, i))
        assert await reader.readline() == b"%s %d\\n" % (name.upper(), i)
    writer.close()
    await writer.wait_closed()
    return name
async def main():
    print(*await asyncio.gather(*[ask(b"client%d" % i) for i in range(20)]))
asyncio.run(main())' | wc -w
""", "20\n")

both_ways(
    "node", ["node"], """
exec node -e '
require("http").createServer((request, response) => {
  let size = 0
  request.on("data", piece => size += piece.length)
  request.on("end", () => response.end(`${request.method} ${size}\\n`))
}).listen(PORT, "127.0.0.1")'
""", """
node -e '
const http = require("http")
const ask = size => new Promise(done => {
  const request = http.request({port: PORT, host: "127.0.0.1", method: "POST"}, response => {
    let text = ""
    response.on("data", piece => text += piece)
    response.on("end", () => done(text.trim()))
  })
  request.end(Buffer.alloc(size))
})
Promise.all([1, 1000, 1000000].map(ask)).then(all => console.log(all.join(", ")))'
""", "POST 1, POST 1000, POST 1000000\n")

JAVA = "java -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC Program.java"
both_ways(
    "java", ["java"], f"exec {JAVA} serve", f"{JAVA} ask",
    "200 1000000\n200 1000000\n", prepare="""
cat > Program.java <<'END'
import com.sun.net.httpserver.HttpServer;
import java.net.*;
import java.net.http.*;

public class Program {
  public static void main(String[] arguments) throws Exception {
    var address = new InetSocketAddress("127.0.0.1", PORT);
    if (arguments[0].equals("serve")) {
      var server = HttpServer.create(address, 0);
      server.createContext("/", exchange -> {
        exchange.sendResponseHeaders(200, 1000000);
        try (var body = exchange.getResponseBody()) { body.write(new byte[1000000]); }
      });
      server.start();
      return;
    }
    var client = HttpClient.newHttpClient();
    for (int i = 0; i < 2; i++) {
      var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:PORT/")).build();
      var answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
      System.out.println(answer.statusCode() + " " + answer.body().length);
    }
  }
}
END
""")

both_ways(
    "go", ["go"], "exec ./program serve", "./program ask", "200 1000000\n200 1000000\n",
    prepare=f"export GOCACHE={ROOT}/.build/go-cache GO111MODULE=off GOTOOLCHAIN=local\n" + """
cat > program.go <<'END'
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	if os.Args[1] == "serve" {
		http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
			answer.Write(make([]byte, 1000000))
		})
		panic(http.ListenAndServe("127.0.0.1:PORT", nil))
	}
	for i := 0; i < 2; i++ {
		answer, err := http.Get("http://127.0.0.1:PORT/")
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(answer.Body)
		fmt.Println(answer.StatusCode, len(body))
	}
}
END
go build -o program program.go
""")

both_ways(
    "iperf", ["iperf3"], "exec iperf3 -s --forceflush -B 127.0.0.1 -p PORT", r"""
measure() {
  until iperf3 -c 127.0.0.1 -p PORT -J "$@" > report; do
    grep -q 'server is busy' report || { cat report >&2; exit 1; }
  done
  /usr/bin/python3 -c '
import json
end = json.load(open("report"))["end"]
total = end.get("sum_received") or end["sum"]
print(len(end["streams"]), "data" if total["bytes"] > 0 else "nothing")'
}
measure -n 20M
measure -n 20M -R
measure -u -b 20M -n 1M
measure -u -b 20M -n 1M -R
""", "1 data\n" * 4)

both_ways(
    "dns", ["dnsmasq", "dig", "getent"], """
exec dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --port=53 --user=root \
  --listen-address=127.0.0.1 --bind-interfaces --pid-file=$PWD/pid \
  --host-record=name.test,192.0.2.7,2001:db8::7 --txt-record=text.test,words
""", """
dig +short @127.0.0.1 name.test A
dig +short +tcp @127.0.0.1 name.test AAAA
dig +short @127.0.0.1 text.test TXT
getent ahosts name.test | cut -d ' ' -f1 | sort -u
""", "192.0.2.7\n2001:db8::7\n\"words\"\n192.0.2.7\n2001:db8::7\n",
    ready="[ -n \"$(ss -Hltn 'sport = :53')\" ]", prepare="""
echo nameserver 127.0.0.1 > resolv.conf
mount --bind resolv.conf /etc/resolv.conf
""", cleanup="umount /etc/resolv.conf")

both_ways(
    "openssh", ["sshd", "ssh", "sftp", "ssh-keygen"],
    "mkdir -p /run/sshd\nexec /usr/sbin/sshd -D -e -f $PWD/sshd_config", """
options="-F none -i key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
options="$options -o LogLevel=ERROR"
ssh $options -p PORT 127.0.0.1 'cat; echo $((6 * 7))' < file | cksum | cmp - sum && echo same
ssh $options -p PORT 127.0.0.1 'exit 3' || echo $?
ssh -tt $options -p PORT 127.0.0.1 'test -t 0 && echo a terminal' < /dev/null | tr -d '\\r'
echo "get $PWD/file got" | sftp -q -b - $options -P PORT 127.0.0.1 > /dev/null
cmp file got && echo same
""", "same\n3\na terminal\nsame\n", prepare=SITE + """
ssh-keygen -q -t ed25519 -N '' -f key
ssh-keygen -q -t ed25519 -N '' -f host
cp key.pub authorized
{ cat file; echo 42; } | cksum > sum
cat > sshd_config <<END
Port PORT
ListenAddress 127.0.0.1
HostKey $PWD/host
AuthorizedKeysFile $PWD/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile none
Subsystem sftp internal-sftp
END
""")


# ---- Files that both have open


def together(name, tools, script, answer, prepare=""):
    """The same script inside and outside at the same time, with WHO for each; then `answer`."""

    def run():
        for tool in tools:
            if not shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin"):
                raise Failure(f"{tool} is not installed")
        with tempfile.TemporaryDirectory(prefix="directions-", dir="/var/tmp") as directory:
            if prepare:
                ask("outside", directory, prepare)
            both = [subprocess.Popen(
                command(place, directory, script.replace("WHO", place)), cwd=directory,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True) for place in ("inside", "outside")]
            for one in both:
                output, _ = one.communicate(timeout=LIMIT)
                equal((one.returncode, output), (0, ""), "what a writer said")
            for place in ("inside", "outside"):
                equal(ask(place, directory, answer[0]), answer[1], f"what {place} reads")

    run.__name__ = f"both_ways_{name}"
    case(run)


together(
    "sqlite", ["sqlite3"], """
{ echo .timeout 60000
  for ((n = 0; n < 200; n++)); do echo "INSERT INTO t VALUES ('WHO', $n);"; done
} | sqlite3 shared.db
""", ("sqlite3 shared.db 'SELECT who, count(*) FROM t GROUP BY who; PRAGMA integrity_check'",
      "inside|200\noutside|200\nok\n"),
    prepare="sqlite3 shared.db 'PRAGMA journal_mode=WAL; CREATE TABLE t (who TEXT, n INTEGER)'")

FIO = ("fio --name=job --size=8M --bs=16k --rw=randwrite --verify=crc32c --randseed=7 "
       "--filename=$PWD/WHO.data --output=/dev/null")
together(
    "fio", ["fio"], f"{FIO} --do_verify=0 --fsync=64",
    ("".join(f"{FIO.replace('WHO', who)} --verify_only && echo verified\n"
             for who in ("inside", "outside")), "verified\nverified\n"))
