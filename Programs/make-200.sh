# `make -j2` of a generated project of 200 C files, then again after a change, then clean.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD
for tool in gcc make; do
  command -v "$tool" > /dev/null || { echo "SKIP: $tool is not installed"; exit 0; }
done

mkdir -p project/src project/include; cd project
for ((i = 0; i < 200; i++)); do
  printf '#pragma once\nint f%d(int);\n' "$i" > "include/f$i.h"
  cat > "src/f$i.c" <<END
#include "f$i.h"
#include "f$(((i + 1) % 200)).h"
static int table[8] = {$i, 1, 2, 3, 4, 5, 6, 7};
int f$i(int depth) {
  int sum = table[depth & 7];
  for (int n = 0; n < 10; n++) sum += n * depth;
  return depth > 0 ? sum + f$(((i + 1) % 200))(depth - 1) : sum;
}
END
done
printf '%s\n' '#include <stdio.h>' '#include "f0.h"' \
  'int main(void) { printf("%d\n", f0(199)); return 0; }' > src/main.c
cat > Makefile <<'END'
SOURCES := $(wildcard src/*.c)
OBJECTS := $(SOURCES:src/%.c=build/%.o)
CFLAGS := -O1 -Iinclude -MMD
program: $(OBJECTS)
	@gcc -o $@ $(sort $^)
	@echo linked $(words $^) objects
build/%.o: src/%.c | build
	@gcc $(CFLAGS) -c -o $@ $<
	@echo $< >> compiled
build:
	@mkdir $@
clean:
	@rm -rf build program compiled
.PHONY: clean
-include $(OBJECTS:.o=.d)
END
make -j2; ./program; wc -l < compiled
make -j2 | sed 's/make: //'
rm compiled; touch -d '+1 minute' include/f7.h; make -j2; sort compiled
touch -d '+2 minutes' src/f9.c; echo 'syntax error' >> src/f9.c
make -j2 2> errors > /dev/null || echo "make gave $?"; grep -c 'f9.c.*error' errors
make clean; find . -type f | wc -l
