#!/bin/bash
# Makes the Debian package, judges it, installs it into a root of its own and uses it there.
#
#   scripts/package.sh
#
# Needs root, lintian, man-db, zsh, fish and busybox. PARAVANE names the product, else the release
# build.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${PARAVANE:=$PWD/.build/release/paravane}"
export PARAVANE
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

check() {
  local name=$1
  shift
  if "$@" >"$scratch/output" 2>&1; then
    echo "PASS package/$name"
  else
    failed=$((failed + 1))
    echo "FAIL package/$name"
    sed 's/^/     /' "$scratch/output" | head -20
  fi
}

prefix_install() {
  PREFIX=/opt/x DESTDIR=$scratch/prefix scripts/install.sh
  "$scratch/prefix/opt/x/bin/paravane" --version
  test "$("$scratch/prefix/opt/x/bin/paravane" do -- uname -r)" = 6.1.0-paravane
  grep -q /opt/x/bin/paravane "$scratch/prefix/opt/x/share/paravane/registration/podman.conf"
}

is_clean() {
  # Any word of lintian's is one too many, but for the words that it reads in tables of letters.
  test -z "$(lintian --allow-root --display-info --pedantic \
    --suppress-tags spelling-error-in-binary "$package" | tee /dev/stderr)"
}

is_reproducible() {
  local first=$scratch/first.deb
  cp "$package" "$first"
  scripts/deb.sh
  cmp "$first" "$package"
}

# dpkg(1) with its own root: maintainer scripts run in it, so it has a shell.
in_root() { dpkg --root="$root" --force-not-root --force-depends "$@"; }

installs() {
  mkdir -p "$root"/{bin,tmp,var/lib/dpkg/{info,updates},etc/containerd,usr/bin}
  touch "$root/var/lib/dpkg/status" "$root/var/lib/dpkg/available"
  cp /bin/busybox "$root/bin/busybox"
  for tool in sh cat mkdir dirname grep rm cmp; do
    ln -s busybox "$root/bin/$tool"
  done
  in_root --install "$package"
  grep -q /usr/bin/paravane "$root/etc/docker/daemon.json"
  grep -q conf.d "$root/etc/containerd/config.toml"
}

works() { test "$("$root/usr/bin/paravane" do -- uname -r)" = 6.1.0-paravane; }

has_a_page_for_each_command() {
  local command pages=$root/usr/share/man/man1 page
  for command in $("$PARAVANE" --help | sed -n '/SUBCOMMANDS/,$s/^  \([a-z]*\)[ ,].*/\1/p' |
    grep -v See); do
    test -e "$pages/paravane-$command.1.gz" || { echo "no page of $command"; return 1; }
  done
  for page in "$pages"/*; do
    test -z "$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z \
      "$page" 2>&1 >/dev/null | tee /dev/stderr)"
  done
  man -l "$pages/paravane-kill.1.gz" | grep -q SIGNAL
}

# Each shell is asked for what follows "paravane cre".
completes_in_bash() {
  bash -c 'source "$1"
    COMP_WORDS=(paravane cre) COMP_CWORD=1 COMP_LINE="paravane cre" COMP_POINT=12 COMP_TYPE=9
    command=$(complete -p paravane | sed "s/.*-F \([^ ]*\) .*/\1/")
    $command paravane cre paravane
    [[ " ${COMPREPLY[*]} " == *" create "* ]] || { echo "got: ${COMPREPLY[*]}"; exit 1; }' \
    - "$root/usr/share/bash-completion/completions/paravane"
}

completes_in_zsh() {
  zsh -f -c 'fpath=($1 $fpath); autoload -Uz compinit; compinit -u -d $2/dump
    [[ $_comps[paravane] == _paravane ]] || exit 1
    autoload -Uz +X _paravane && grep -q "create:" $1/_paravane' \
    - "$root/usr/share/zsh/vendor-completions" "$scratch"
}

completes_in_fish() {
  HOME=$scratch PATH=$root/usr/bin:$PATH fish --no-config -c \
    "source $root/usr/share/fish/vendor_completions.d/paravane.fish; complete -C 'paravane cre'" |
    grep -q create
}

# What the drop-in files say is what the engines understand.
podman_knows_it() {
  mkdir -p "$scratch/containers.conf.d"
  sed "s|/usr/bin/paravane|$PARAVANE|" "$root/etc/containers/containers.conf.d/paravane.conf" \
    >"$scratch/podman.conf"
  CONTAINERS_CONF=$scratch/podman.conf podman --root "$scratch/root" --runroot "$scratch/run" \
    --runtime paravane info --format '{{.Host.OCIRuntime.Path}}' | grep -qx "$PARAVANE"
}

containerd_knows_it() {
  printf 'version = 2\nimports = ["%s"]\n' "$root/etc/containerd/conf.d/*.toml" \
    >"$scratch/config.toml"
  containerd --config "$scratch/config.toml" config dump | grep -q 'BinaryName = "/usr/bin/paravane"'
}

# dockerd 20.10 has no way to be asked; scripts/engines.sh starts it with this form.
docker_knows_it() {
  python3 -c 'import json, sys
with open(sys.argv[1]) as file:
    assert json.load(file) == {"runtimes": {"paravane": {"path": "/usr/bin/paravane"}}}' \
    "$root/etc/docker/daemon.json"
}

goes_without_a_trace() {
  in_root --purge paravane
  test ! -e "$root/etc/docker/daemon.json"
  test ! -e "$root/etc/containerd/config.toml"
  test -z "$(find "$root/usr" "$root/etc" -name '*paravane*')"
}

package=$(scripts/deb.sh)
root=$scratch/installed
check make-install prefix_install
check lintian is_clean
check reproducible is_reproducible
check install installs
check run works
check manual has_a_page_for_each_command
check bash completes_in_bash
check zsh completes_in_zsh
check fish completes_in_fish
check podman podman_knows_it
check containerd containerd_knows_it
check docker docker_knows_it
check purge goes_without_a_trace
if ((failed)); then
  echo "$failed failed"
  exit 1
fi
echo "all passed"
