#!/bin/sh
# Installs the release build: the command, the kernel image beside it, manual and completions.
#
#     scripts/install.sh        with PREFIX (/usr/local) and DESTDIR in the environment
#
# PARAVANE and PARAVANE_KERNEL name the files, else those of the release build.
set -eu
cd "$(dirname "$0")/.."
: "${PREFIX:=/usr/local}" "${DESTDIR:=}"
: "${PARAVANE:=.build/release/paravane}"
: "${PARAVANE_KERNEL:=$(dirname "$PARAVANE")/KernelImage}"
case $PREFIX in
  /*) ;;
  *) echo "PREFIX must be an absolute path: $PREFIX" >&2; exit 1 ;;
esac
for file in "$PARAVANE" "$PARAVANE_KERNEL"; do
  [ -e "$file" ] || { echo "there is no $file: make build" >&2; exit 1; }
done
to=$DESTDIR$PREFIX
home=$to/lib/paravane

# The command looks for the image beside its own file.
install -D -m 755 "$PARAVANE" "$home/paravane"
install -m 644 "$PARAVANE_KERNEL" "$home/KernelImage"
strip --strip-unneeded --remove-section=.comment "$home/paravane"
# What a panic says are functions of the kernel: their names stay.
strip --strip-debug --remove-section=.comment "$home/KernelImage"
mkdir -p "$to/bin"
ln -sf ../lib/paravane/paravane "$to/bin/paravane"

version=$("$home/paravane" --version | sed -n 's/^paravane //p')
python3 Packaging/manual.py "$home/paravane" "$to/share/man/man1" "$version"
gzip -9nf "$to"/share/man/man1/paravane*.1

install_completion() {
  mkdir -p "$(dirname "$2")"
  # Shells read it, nobody executes it; zsh wants its first line.
  "$home/paravane" --generate-completion-script "$1" | sed '1{/^#!/d}' >"$2"
}
install_completion bash "$to/share/bash-completion/completions/paravane"
install_completion zsh "$to/share/zsh/vendor-completions/_paravane"
install_completion fish "$to/share/fish/vendor_completions.d/paravane.fish"

registration=$to/share/paravane/registration
mkdir -p "$registration"
for file in Packaging/registration/*; do
  sed "s|@BIN@|$PREFIX/bin|" "$file" >"$registration/$(basename "$file")"
done
