# GCC: preprocess, compile, assemble, link, static and shared libraries, run, errors.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD
command -v gcc > /dev/null || { echo "SKIP: gcc is not installed"; exit 0; }

cat > greet.h <<'END'
#define GREETING "hello"
const char *greet(void);
int answer(int question);
END
printf '#include "greet.h"\nconst char *greet(void) { return GREETING; }\n' > greet.c
printf '#include "greet.h"\nint answer(int question) { return question * 2; }\n' > answer.c
cat > main.c <<'END'
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "greet.h"
static _Thread_local int local = 20;
static void *run(void *argument) { local += *(int *)argument; return (void *)(long)answer(local); }
static void leave(void) { puts("leaving"); }
__attribute__((constructor)) static void enter(void) { puts("entering"); }
int main(int count, char **words) {
  atexit(leave);
  int one = 1; pthread_t thread; void *result;
  pthread_create(&thread, 0, run, &one); pthread_join(thread, &result);
  printf("%s %ld %.6f %d %s\n", greet(), (long)result, sqrt(count), local,
      count > 1 ? words[1] : "");
  char *block = malloc(50 << 20); memset(block, 1, 50 << 20); free(block);
  return 3;
}
END

run() { ./"$@" || echo "status $?"; }
echo "== step by step"
gcc -E main.c > main.i; gcc -S main.i -o main.s; gcc -c main.s -o main.o; gcc -c greet.c answer.c
gcc main.o greet.o answer.o -o steps -lm -pthread; run steps word
echo "== optimised, with debug information, position-dependent, static"
for options in -O2 "-O3 -g -flto" "-O1 -no-pie" "-O2 -static" "-O2 -static-pie" \
  "-O0 -fsanitize=undefined"; do
  # shellcheck disable=SC2086
  gcc $options main.c greet.c answer.c -o program -lm -pthread; echo "$options"; run program
done
echo "== libraries"
ar rcs libanswer.a answer.o; gcc -shared -fPIC greet.c -o libgreet.so
gcc main.c -o linked -L. -lgreet -lanswer -lm -pthread -Wl,-rpath,"$PWD"; run linked
ldd linked | grep -c libgreet; nm -D libgreet.so | grep -c greet
readelf -h linked | grep Type | tr -s ' '
rm libgreet.so; ./linked 2> /dev/null || echo "without its library: $?"
LD_PRELOAD=/nonexistent.so ./steps 2> /dev/null | head -n 1
strip steps && run steps
echo "== errors"
echo 'int main(void) { return undeclared; }' > wrong.c
gcc wrong.c 2> errors || echo "status $?"; grep -c "'undeclared' undeclared" errors
echo 'int absent(void); int main(void) { return absent(); }' > unlinked.c
gcc unlinked.c 2> errors || echo "status $?"; grep -c "undefined reference to" errors
echo 'int main(void) { return *(volatile int *)0; }' | gcc -xc - -o crash
(ulimit -c 0; ./crash) 2> /dev/null || echo "crash: $?"
echo 'int main(void) { __builtin_trap(); }' | gcc -xc - -o trap
(ulimit -c 0; ./trap) 2> /dev/null || echo "trap: $?"
echo "== C++"
if command -v g++ > /dev/null; then
  cat > throw.cc <<'END'
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
int main() {
  std::map<std::string, int> counts;
  for (std::string word : {"a", "b", "a"}) counts[word]++;
  std::vector<std::thread> threads; std::vector<int> sums(4);
  for (int i = 0; i < 4; i++) threads.emplace_back([&,
      i] { for (int n = 0; n < 1000; n++) sums[i] += n; });
  for (auto &thread : threads) thread.join();
  try { throw std::runtime_error("thrown"); }
  catch (const std::exception &error) {
    std::cout << error.what() << counts["a"] << sums[3] << std::endl;
  }
}
END
  g++ -O2 throw.cc -o throw -pthread && ./throw
fi
find . -name '*.o' | sort | tr '\n' ' '; ls | grep -c '^cc' || true
