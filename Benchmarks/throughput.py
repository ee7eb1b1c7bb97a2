"""Rows of the network and of storage: how much gets done in a second, compared with native."""

from material import INSERTS
from rows import Row
from services import (datagrams, echo_client, iperf_client, pgbench, redis_client, stream_bits, wrk)

NETWORK = "network"
STORAGE = "storage"


def served(title, name, least, server, client, **options):
    """A server in the runtime and its client outside."""
    return Row(title, name, kind="served", least=least, server=server, client=client,
               group=NETWORK, **{"rounds": 0.45, **options})


def timed(title, name, least, count, prepare, *words, **options):
    """A program that does `count` things; the time is taken inside."""
    return Row(title, name, kind="command", least=least, count=count, batches=1, prepare=prepare,
               command=words, group=STORAGE, **{"rounds": 0.45, **options})


def fio(title, name, least, *words, unit="/s", amount=1):
    """fio(1) on a file of the volume; `amount` is the bytes of one of its units."""
    common = ("/usr/bin/fio", "--name=job", "--ioengine=psync", "--filename=fio.data",
              "--size=256M", "--time_based", "--runtime=1", "--output-format=json", "--thread")
    return Row(title, name, kind="fio", least=least, command=(*common, *words), count=amount,
               unit=unit, material="fio", group=STORAGE, rounds=0.45)


# Requests for more than a second, so that what a server does once counts for little.
REDIS = {1: 120_000, 16: 2_000_000}
CLOSE = ("-H", "Connection: close")


def redis_rows():
    for pipeline, least in ((1, 0.85), (16, 0.95)):
        for test in ("get", "set"):
            yield served(f"redis {test.upper()}, 50 clients, pipeline {pipeline}",
                         f"redis-{test}-{pipeline}", least, "redis",
                         redis_client(test, pipeline, REDIS[pipeline]))


def cost_rows():
    """What deciding and telling costs: compared with a sandbox that does neither."""
    for words, option, title in ((("--policy", "{volume}/policy.yaml"), "policy", "1,000 rules"),
                                 (("--audit", "{volume}/audit.log"), "audit", "an audit log")):
        # These differ by less than two runs of the same server do.
        common = {"options": words, "baseline": "paravane", "material": "policy", "rounds": 1}
        yield served(f"redis GET with {title}, of that without", f"{option}-redis", 0.97, "redis",
                     redis_client("get", 1, REDIS[1]), **common)
        yield served(f"connections/s with {title}, of that without", f"{option}-connections", 0.85,
                     "nginx", wrk("1k", 50, *CLOSE), **common)


ROWS = (
    *redis_rows(),
    served("nginx, 1 KB", "nginx-1k", 0.85, "nginx", wrk("1k", 50), material="nginx"),
    served("nginx, 1 MB", "nginx-1m", 0.95, "nginx", wrk("1m", 10), material="nginx"),
    served("nginx, connections without keep-alive", "nginx-connections", 0.6, "nginx",
           wrk("1k", 50, *CLOSE), material="nginx"),
    served("iperf3 TCP into the server", "iperf-in", 0.95, "iperf", iperf_client(stream_bits),
           unit="bit/s"),
    served("iperf3 TCP out of the server", "iperf-out", 0.95, "iperf",
           iperf_client(stream_bits, "-R"), unit="bit/s"),
    served("iperf3 UDP of 64 bytes into the server", "udp-in", 0.8, "iperf",
           iperf_client(datagrams, "-u", "-l", "64", "-b", "0")),
    served("iperf3 UDP of 64 bytes out of the server", "udp-out", 0.8, "iperf",
           iperf_client(datagrams, "-u", "-l", "64", "-b", "0", "-R")),
    served("TCP request and response of 1 byte", "echo", 0.9, "echo", echo_client()),
    served("pgbench, read-only", "pgbench-read", 0.85, "postgres", pgbench("-S"),
           material="postgres"),
    served("pgbench, read-write", "pgbench-write", 0.9, "postgres", pgbench(),
           material="postgres"),
    *cost_rows(),
    timed("sqlite, inserts with a WAL", "sqlite", 0.9, INSERTS, "rm -f insert.db*",
          "/bin/sh", "-c", "exec sqlite3 insert.db < inserts.sql", material="sqlite"),
    fio("fio, 4K random reads, cached", "fio-random", 0.85, "--rw=randread", "--bs=4k",
        "--invalidate=0", amount=4096),
    fio("fio, 1M sequential reads", "fio-read", 0.95, "--rw=read", "--bs=1M", unit="B/s"),
    fio("fio, 4K writes with fsync", "fio-fsync", 0.95, "--rw=randwrite", "--bs=4k", "--fsync=1",
        amount=4096),
    timed("git status of 50,000 files", "git-status", 0.6, 50_000, "", "git", "-C", "large",
          "status", "--porcelain", material="large"),
    timed("untar of 50,000 files", "untar", 0.5, 50_000, "rm -rf unpacked; mkdir unpacked",
          "tar", "-xf", "large.tar", "-C", "unpacked", material="large", rounds=0.3),
    timed("rm -rf of 50,000 files", "rm", 0.5, 50_000,
          "[ -d unpacked/d0 ] || { mkdir -p unpacked; tar -xf large.tar -C unpacked; }",
          "rm", "-rf", "unpacked", material="large", rounds=0.3),
)
