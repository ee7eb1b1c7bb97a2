#!/bin/sh
# Makes the Debian package of the release build in .build/deb.
#
#     scripts/deb.sh
#
# The package registers the runtime with Podman and containerd by drop-in files, and with Docker,
# which has none, in /etc/docker/daemon.json where nobody else has written one.
set -eu
cd "$(dirname "$0")/.."
: "${PARAVANE:=.build/release/paravane}"
output=$PWD/.build/deb
tree=$output/tree
rm -rf "$output"
mkdir -p "$tree/DEBIAN"
umask 022
SOURCE_DATE_EPOCH=$(date -d "$(sed -n 's/^ -- .*>  //p' Packaging/debian/changelog | head -1)" +%s)
export SOURCE_DATE_EPOCH
PREFIX=/usr DESTDIR=$tree scripts/install.sh
upstream=$("$PARAVANE" --version | sed -n 's/^paravane //p')
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' Packaging/debian/changelog)
case $version in
  "$upstream"-*) ;;
  *) echo "the changelog is of $version, the command of $upstream" >&2; exit 1 ;;
esac

registration=$tree/usr/share/paravane/registration
install -D -m 644 "$registration/podman.conf" "$tree/etc/containers/containers.conf.d/paravane.conf"
install -D -m 644 "$registration/containerd.toml" "$tree/etc/containerd/conf.d/paravane.toml"
documents=$tree/usr/share/doc/paravane
mkdir -p "$documents" "$tree/usr/share/lintian/overrides"
install -m 644 Packaging/debian/copyright "$documents/copyright"
gzip -9nc Packaging/debian/changelog >"$documents/changelog.Debian.gz"
gzip -9nc CHANGELOG.md >"$documents/changelog.gz"
install -m 644 Packaging/debian/lintian-overrides "$tree/usr/share/lintian/overrides/paravane"

install -m 755 Packaging/debian/postinst Packaging/debian/prerm "$tree/DEBIAN/"
(cd "$tree" && find etc -type f -printf '/%p\n' | sort) >"$tree/DEBIAN/conffiles"
size=$(du -k -s --apparent-size --exclude=DEBIAN "$tree" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@SIZE@/$size/" Packaging/debian/control >"$tree/DEBIAN/control"
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --build --root-owner-group "$tree" "$output/paravane_${version}_amd64.deb" >/dev/null
echo "$output/paravane_${version}_amd64.deb"
