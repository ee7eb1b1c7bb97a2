"""Servers in a runtime, and what their clients outside say of them."""

import json
import signal
import socket
import subprocess
import time

from material import POSTGRES
from measure import TIME_LIMIT, Failure, end, output_of, start

SECONDS = "1"


def redis(volume, port):
    return ["/usr/bin/redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
            "--loglevel", "warning", "--dir", str(volume)]


def nginx(volume, port):
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{name}_temp_path {volume}/web/{name};" for name in places)
    (volume / "web" / "nginx.conf").write_text(
        f"worker_processes 1; daemon off; user root; pid {volume}/web/pid;\n"
        f"error_log {volume}/web/error.log; events {{ worker_connections 1024; }}\n"
        f"http {{ access_log off; sendfile on; keepalive_requests 1000000; {temporary}\n"
        f"  server {{ listen 127.0.0.1:{port} backlog=4096; root {volume}/web; }} }}\n")
    return ["/usr/sbin/nginx", "-e", "stderr", "-c", f"{volume}/web/nginx.conf"]


def iperf(volume, port):
    return ["/usr/bin/iperf3", "-s", "-B", "127.0.0.1", "-p", port]


def echo(volume, port):
    return [f"{volume}/echo", "serve", port]


def postgres(volume, port):
    # It refuses to run as root.
    return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
            f"{POSTGRES}/postgres", "-D", f"{volume}/postgres", "-p", port,
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "jit=off"]


SERVERS = {server.__name__: server for server in (redis, nginx, iperf, echo, postgres)}


def redis_client(test, pipeline, count):
    def words(volume, port):
        return ["/usr/bin/redis-benchmark", "-p", port, "-t", test, "-c", "50",
                "-P", str(pipeline), "-n", str(count), "-q", "--csv"]
    return words, lambda text: float(text.splitlines()[-1].split(",")[1].strip('"'))


def wrk(file, connections, *options):
    def words(volume, port):
        return ["/usr/bin/wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", *options,
                f"http://127.0.0.1:{port}/{file}"]
    return words, lambda text: number_after("Requests/sec:", text)


def iperf_client(read, *options):
    def words(volume, port):
        return ["/usr/bin/iperf3", "-c", "127.0.0.1", "-p", port, "-t", SECONDS, "-J", *options]
    return words, lambda text: read(json.loads(text)["end"])


def stream_bits(report):
    return report["sum_received"]["bits_per_second"]


def datagrams(report):
    total = report["sum"]
    return (total["packets"] - total["lost_packets"]) / total["seconds"]


def echo_client():
    return (lambda volume, port: [f"{volume}/echo", "ask", port, SECONDS]), float


def pgbench(*options):
    def words(volume, port):
        return [f"{POSTGRES}/pgbench", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-n",
                "-c", "8", "-j", "1", "-T", "4", *options, "bench"]
    return words, lambda text: number_after("tps =", text)


def number_after(label, text):
    _, found, rest = text.partition(label)
    if not found:
        raise Failure(f"the client says no '{label}'")
    return float(rest.split()[0])


def served(row, runtime, volume):
    """Starts the row's server in a runtime, lets the client work, and ends the server."""
    port = free_port()
    words, read = row.client
    server = SERVERS[row.server](volume, port)
    with runtime.words(server, volume, shares_network=True) as command:
        process = start(command, volume, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            wait_for(int(port), process)
            return read(asked(words(volume, port), volume))
        finally:
            # To postgres SIGTERM means to wait for clients.
            stop(process, signal.SIGINT if row.server == "postgres" else signal.SIGTERM)


def asked(words, volume):
    # The server of iperf3 takes one client at a time, and may be busy with the last one's end; that
    # of PostgreSQL listens before it is done with starting.
    deadline = time.monotonic() + TIME_LIMIT / 10
    while True:
        try:
            return output_of(words, volume)
        except Failure:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def wait_for(port, process):
    deadline = time.monotonic() + TIME_LIMIT / 10
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = (process.stderr.read().strip().splitlines() or [""])[-1]
            raise Failure(f"the server ended: {message}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise Failure("the server does not listen")


def stop(process, how):
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        end(process)
