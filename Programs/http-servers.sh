# HTTP servers of Node.js, Java and Go: files, bodies, pieces, many clients, an orderly end.
# timeout: 180
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD TMPDIR=$PWD NODE_NO_WARNINGS=1
export GOCACHE=$PWD/cache GOFLAGS=-mod=mod GOTELEMETRY=off GO111MODULE=off
command -v curl > /dev/null || { echo "SKIP: curl is not installed"; exit 0; }

free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); \
print(s.getsockname()[1])'
}
head -c 2000000 /dev/urandom > large

# Each server has /say, /echo (the body in upper case), /large, /pieces and /slow.
cat > server.js <<'JS'
const http = require("node:http");
const fs = require("node:fs");
const server = http.createServer(async (request, response) => {
  switch (request.url) {
    case "/say": return response.end(`hello ${request.headers["x-name"] ?? "nobody"}\n`);
    case "/large": return fs.createReadStream("large").pipe(response);
    case "/pieces":
      for (let n = 0; n < 5; n++) response.write(`piece ${n}\n`);
      return response.end();
    case "/slow": return setTimeout(() => response.end("at last\n"), 300);
    case "/echo": {
      let text = "";
      for await (const piece of request) text += piece;
      return response.end(text.toUpperCase());
    }
    default:
      response.statusCode = 404;
      response.end();
  }
});
server.listen(Number(process.argv[2]), "127.0.0.1");
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
JS
cat > Server.java <<'JAVA'
import com.sun.net.httpserver.*;
import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.concurrent.*;

public class Server {
  static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    try (var out = exchange.getResponseBody()) { out.write(body); }
  }

  static void serve(HttpExchange exchange) throws IOException {
    switch (exchange.getRequestURI().getPath()) {
      case "/say" -> {
        var name = exchange.getRequestHeaders().getFirst("X-Name");
        answer(exchange, 200, ("hello " + (name == null ? "nobody" : name) + "\n").getBytes());
      }
      case "/large" -> answer(exchange, 200, Files.readAllBytes(Path.of("large")));
      case "/pieces" -> {
        exchange.sendResponseHeaders(200, 0);
        try (var out = exchange.getResponseBody()) {
          for (int n = 0; n < 5; n++) { out.write(("piece " + n + "\n").getBytes()); out.flush(); }
        }
      }
      case "/slow" -> {
        try { Thread.sleep(300); } catch (InterruptedException e) { return; }
        answer(exchange, 200, "at last\n".getBytes());
      }
      case "/echo" -> {
        var text = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        answer(exchange, 200, text.toUpperCase().getBytes(StandardCharsets.UTF_8));
      }
      default -> answer(exchange, 404, new byte[0]);
    }
  }

  public static void main(String[] words) throws Exception {
    var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0]));
    var server = HttpServer.create(address, 100);
    server.createContext("/", Server::serve);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(2)));
  }
}
JAVA
cat > server.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	http.HandleFunc("/say", func(w http.ResponseWriter, r *http.Request) {
		name := r.Header.Get("X-Name")
		if name == "" {
			name = "nobody"
		}
		fmt.Fprintf(w, "hello %s\n", name)
	})
	http.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, "large")
	})
	http.HandleFunc("/pieces", func(w http.ResponseWriter, r *http.Request) {
		for n := 0; n < 5; n++ {
			fmt.Fprintf(w, "piece %d\n", n)
			w.(http.Flusher).Flush()
		}
	})
	http.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * time.Millisecond)
		io.WriteString(w, "at last\n")
	})
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, strings.ToUpper(string(body)))
	})
	server := &http.Server{Addr: "127.0.0.1:" + os.Args[1]}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	done := make(chan bool)
	go func() {
		<-stop
		server.Shutdown(context.Background())
		close(done)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Println(err)
		os.Exit(1)
	}
	<-done
}
GO

# serve WORDS...: starts a server with a port as its last word, asks it, and ends it.
serve() {
  local port url server slow
  port=$(free_port)
  url=http://127.0.0.1:$port
  "$@" "$port" &
  server=$!
  until curl -s "$url/say" > /dev/null; do kill -0 $server || return; done
  curl -s -H 'X-Name: parrot' "$url/say"
  curl -s "$url/large" | cmp - large && echo "sent whole"
  curl -s -N "$url/pieces" | paste -sd,
  seq 1 20000 | sed 's/$/ blackbird/' > body
  curl -s --data-binary @body "$url/echo" | cmp - <(tr a-z A-Z < body) && echo "and back"
  curl -s -o /dev/null -w '%{http_code}\n' "$url/missing"
  curl -s "$url/say" "$url/say" "$url/say" -o /dev/null -o /dev/null -o /dev/null \
    -w '%{num_connects}\n' | paste -sd' '
  for ((i = 0; i < 100; i++)); do echo "url = \"$url/say\""; done > list
  curl -sS -Z --parallel-max 25 -K list | sort | uniq -c | sed 's/^ *//'
  # A request that is being served when the end begins is served to its end.
  curl -s "$url/slow" &
  slow=$!
  until [ -n "$(ss -Htn state established "( dport = :$port )")" ]; do :; done
  curl -s "$url/say" > /dev/null
  kill -TERM $server
  wait $slow
  wait $server && echo "the end" || echo "ended with $?"
}
if command -v node > /dev/null; then echo "== node"; serve node server.js; fi
if command -v javac > /dev/null; then
  echo "== java"
  javac Server.java
  serve java -Xmx128m -cp . Server
fi
if command -v go > /dev/null; then
  echo "== go"
  go build -o server server.go
  serve ./server
fi
