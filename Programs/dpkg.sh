# Debian packages: build one, look inside, unpack it, install and remove it in a directory.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD TZ=UTC
export SOURCE_DATE_EPOCH=1000000000
command -v dpkg-deb > /dev/null || { echo "SKIP: dpkg-deb is not installed"; exit 0; }

mkdir -p hello/DEBIAN hello/usr/bin hello/usr/share/doc/hello hello/etc
cat > hello/DEBIAN/control <<'END'
Package: hello-vane
Version: 1.0-1
Architecture: all
Maintainer: A <a@example.org>
Description: says hello
END
printf '#!/bin/sh\necho hello from a package\n' > hello/usr/bin/hello-vane
chmod 755 hello/usr/bin/hello-vane
echo "option=1" > hello/etc/hello-vane; echo /etc/hello-vane > hello/DEBIAN/conffiles
for ((i = 0; i < 200; i++)); do seq "$i" > "hello/usr/share/doc/hello/page$i"; done
chmod -R g-w hello; find hello -exec touch -h -d @1000000000 {} +
dpkg-deb --root-owner-group -Zxz --build hello > /dev/null; sha256sum < hello.deb
dpkg-deb --info hello.deb | grep -E '^ (Package|Version)'; dpkg-deb --contents hello.deb | wc -l
dpkg-deb --contents hello.deb | grep hello-vane | tr -s ' '
dpkg-deb --field hello.deb Description; ar t hello.deb
dpkg-deb --raw-extract hello.deb raw; diff -r hello raw && echo "same"
dpkg-deb -Zgzip --build hello gzipped.deb > /dev/null
dpkg-deb --fsys-tarfile gzipped.deb | tar t | wc -l

if [ "$(id -u)" = 0 ]; then
  echo "== install"
  mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates root/var/log
  : > root/var/lib/dpkg/status; : > root/var/lib/dpkg/available
  install() { dpkg --root="$PWD/root" --force-script-chrootless --log=/dev/null "$@"; }
  install -i hello.deb > /dev/null; root/usr/bin/hello-vane
  dpkg-query --admindir=root/var/lib/dpkg -W
  dpkg-query --admindir=root/var/lib/dpkg -L hello-vane | wc -l
  dpkg --admindir=root/var/lib/dpkg --root=root --verify && echo "verified"
  install -r hello-vane > /dev/null; [ ! -e root/usr/bin/hello-vane ] && ls root/etc
  install -P hello-vane > /dev/null; ls root
fi
echo "== the machine's own packages"
dpkg-query -W -f '${Package} ${Status}\n' bash coreutils; dpkg -S /usr/bin/sort
dpkg --print-architecture
dpkg --compare-versions 1.10 gt 1.9 && echo "newer"; dpkg -V coreutils 2> /dev/null | wc -l
