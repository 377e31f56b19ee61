#!/bin/sh
# Puts on a Debian machine what `make demo` and `make test` need, and is quick where it is there already.
# Usage: test/setup.sh build|lab|test|bench|wifi
set -eu

fail() {
	echo "setup: $*" >&2
	exit 1
}

missing_node='Node.js 20 or newer is needed, with npm: see https://nodejs.org'
for program in node npm; do
	command -v $program >/dev/null || fail "$missing_node"
done
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || fail "$missing_node (this is $(node --version))"

# program:package
build='cc:gcc make:make'
lab='ip:iproute2 sysctl:procps ping:iputils-ping babeld:babeld udhcpc:udhcpc tshark:tshark nft:nftables
 dhclient:isc-dhcp-client dhcpcd:dhcpcd-base dhcping:dhcping rdisc6:ndisc6 bird:bird2
 /lib/systemd/systemd-networkd:systemd dbus-daemon:dbus-daemon'

test='chromium:chromium lua5.1:lua5.1 busybox:busybox shellcheck:shellcheck musl-gcc:musl-tools'
bench='dnsmasq:dnsmasq-base perfdhcp:kea-admin chrt:util-linux'
wifi='qemu-system-x86_64:qemu-system-x86 hostapd:hostapd wpa_supplicant:wpasupplicant iw:iw busybox:busybox cpio:cpio modprobe:kmod chrt:util-linux batctl:batctl'

case ${1:-build} in
lab) wanted="$build $lab" ;;
test) wanted="$build $lab $test" ;;
bench) wanted="$build $lab $bench" ;;
wifi) wanted="$build $lab $wifi" ;;
*) wanted=$build ;;
esac
[ "$wanted" = "$build" ] || [ "$(id -u)" = 0 ] || fail 'network namespaces need root: try sudo'

packages=
PATH=$PATH:/usr/sbin:/sbin
for pair in $wanted; do
	command -v "${pair%%:*}" >/dev/null || packages="$packages ${pair#*:}"
done
[ -e /usr/include/stdio.h ] || packages="$packages libc6-dev"
[ -n "$packages" ] || exit 0

command -v apt-get >/dev/null || fail "these Debian packages are missing, and there is no apt-get:$packages"
[ "$(id -u)" = 0 ] || fail "these Debian packages are missing: apt-get install$packages"
echo "Installing Debian packages:$packages"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086
{ apt-get update && apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 $packages; } >"$log" 2>&1 || {
	tail -n 5 "$log" >&2
	fail "apt-get could not install$packages"
}
rm -f "$log"
