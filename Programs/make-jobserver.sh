# Make's job server over a recursive build: tokens in a pipe, sub-makes, failures.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD
unset MAKEFLAGS MAKELEVEL MFLAGS
command -v make > /dev/null || { echo "SKIP: make is not installed"; exit 0; }

for part in a b c d; do
  mkdir "$part"
  cat > "$part/Makefile" <<'END'
STEPS := $(shell seq 1 25)
all: $(STEPS:%=out%)
	@cat $(STEPS:%=out%) | sort -n | tail -n 1 > ../total.$(notdir $(CURDIR))
# At most as many recipes as tokens may be between their `+` and `-` at a time.
out%:
	@echo + >> ../running; echo $* > $@; echo - >> ../running
END
done
cat > Makefile <<'END'
PARTS := a b c d
all: $(PARTS)
$(PARTS):
	@$(MAKE) --no-print-directory -C $@
.PHONY: all $(PARTS)
END

# The most recipes that ever ran at once, from the order of their marks.
peak() {
  awk '$1 == "+" { if (++n > most) most = n }
    $1 == "-" { n-- }
    END { print (most <= limit) ? "within " limit : most, n }' limit="$1" running
}
for jobs in 1 2 4 8; do
  rm -f running total.* ./?/out*; make -s "-j$jobs"; cat total.* | paste -sd' '; peak "$jobs"
done

echo "== failures"
printf 'all: good bad\ngood:\n\t@echo good\nbad: good\n\t@echo bad; exit 3\n' > failing.mk
make -j2 -f failing.mk 2> errors || echo "status $?"; grep -c 'Error 3' errors
make -k -s -f failing.mk 2> /dev/null || echo "status $?"
printf 'all:\n\t@kill -TERM $$$$\n' > killed.mk; make -f killed.mk 2>&1 | sed 's/.*\] //' || true
make -f absent.mk 2>&1 || echo "status $?"; make -qs -C a out1 && echo "up to date"

echo "== terminated"
printf 'out:\n\t@echo half > $@; : > started; exec sleep 60\n' > terminated.mk
make -f terminated.mk 2> errors & child=$!
until [ -e started ]; do sleep 0.01; done
kill "$child"; wait "$child" || echo "status $?"; grep -c Deleting errors
[ ! -e out ] && echo "half a target is deleted"

echo "== functions"
cat > functions.mk <<'END'
X := $(shell echo from a shell; exit 4)
$(info $(X) $(.SHELLSTATUS) $(sort b a) $(words 1 2 3))
define LINES
one
two
endef
export LINES
all: ; @echo "$$LINES"; echo $(CURDIR:$(HOME)%=here%)
END
make -f functions.mk; make -O -j4 -s; MAKEFLAGS=-n make -f failing.mk | tail -n 1
make --version | head -n 1 | cut -d' ' -f1,2
