// One byte there and one byte back over one TCP connection, as in netperf's TCP_RR.
//
//   echo serve PORT            answers every connection, one after the other
//   echo ask PORT SECONDS      prints how many bytes came back in a second

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static int make(int port, struct sockaddr_in *address) {
  int socket_ = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (socket_ < 0) fail("socket");
  setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
  return socket_;
}

/* The first process of a container is not ended by a signal that it does not handle. */
static void leave(int signal) {
  (void)signal;
  _exit(0);
}

static int serve(int port) {
  signal(SIGTERM, leave);
  struct sockaddr_in address;
  int listener = make(port, &address);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  if (listen(listener, 8) < 0) fail("listen");
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    if (connection < 0) fail("accept");
    char byte;
    while (read(connection, &byte, 1) == 1 && write(connection, &byte, 1) == 1) {}
    close(connection);
  }
}

static int ask(int port, double seconds) {
  struct sockaddr_in address;
  int connection = make(port, &address);
  if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  char byte = 'x';
  long count = 0;
  double start = now(), end;
  do {
    for (int i = 0; i < 100; i++, count++)
      if (write(connection, &byte, 1) != 1 || read(connection, &byte, 1) != 1) fail("echo");
    end = now();
  } while (end - start < seconds);
  printf("%.0f\n", count / (end - start));
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "serve")) return serve(atoi(argv[2]));
  if (argc == 4 && !strcmp(argv[1], "ask")) return ask(atoi(argv[2]), atof(argv[3]));
  fprintf(stderr, "usage: echo serve PORT | echo ask PORT SECONDS\n");
  return 2;
}
