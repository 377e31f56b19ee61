#!/bin/sh
# Runs a program in a virtual machine with Debian's kernel, for what needs kernel modules: this machine's files are its
# root, read-only; /run is its own. Without KVM, so that it runs everywhere. Environment variables named in VM_ENV go along.
# Usage: vm.sh PROGRAM ARGUMENT...      Ends with what PROGRAM ended with; 77 where no such machine can be had.
set -eu
PATH=$PATH:/usr/sbin:/sbin

project=$(cd "$(dirname "$0")/../.." && pwd)
tree=$project/build/kernel
mkdir -p "$tree"
cd "$tree"

skip() {
	echo "skipped: $*"
	exit 77
}

command -v qemu-system-x86_64 >/dev/null || skip 'there is no qemu-system-x86_64'
[ "$(uname -m)" = x86_64 ] || skip 'the virtual machine is made for x86_64'

for program in busybox cpio depmod modprobe dpkg-deb; do
	command -v $program >/dev/null || skip "there is no $program"
done

# What the distribution's newest kernel is in.
kernel_package() {
	apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1
}

download() {
	package=$(kernel_package)
	[ -n "$package" ] && apt-get download -qq "$package" >/dev/null 2>&1
}

# The kernel of the distribution, unpacked and not installed.
if [ ! -e complete ]; then
	rm -rf boot lib ./*.deb
	echo 'Downloading the kernel'
	# What apt knows may be nothing yet, or of a day when there was another kernel.
	download || { apt-get update >/dev/null 2>&1 && download; } || skip "apt-get cannot download ${package:-linux-image-amd64}"
	dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x --wildcards './boot/vmlinuz-*' './lib/modules/*'
	rm "$package"_*.deb
	version=$(ls lib/modules)
	depmod -b . "$version"
	"$project/test/wifi/initrd.sh" "$tree" "$version" initrd.gz
	touch complete
fi
version=$(ls lib/modules)

# What the machine runs first; it sees this file at the same place.
start=$tree/start.$$
console=$tree/console.$$
trap 'rm -f "$start" "$console"' EXIT
trap 'exit 143' TERM
{
	echo '#!/bin/sh'
	echo 'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run/tmp LAB_PATIENCE=10'
	echo "export MODULES='$tree'"
	for name in ${VM_ENV:-}; do
		eval "value=\${$name-}"
		[ -z "$value" ] || printf "export %s='%s'\n" "$name" "$value"
	done
	# Modules that the kernel asks for by itself come from the tree too.
	echo 'mkdir -p /run/tmp /run/netns'
	echo "printf '#!/bin/sh\nexec /usr/sbin/modprobe -d $tree \"\$@\"\n' >/run/modprobe"
	echo 'chmod +x /run/modprobe; echo /run/modprobe >/proc/sys/kernel/modprobe'
	echo 'ip link set lo up'
	printf "cd '%s'\n" "$project"
	printf "'%s' " "$@"
	printf '\n%s\n' 'echo "the machine ends with $?"'
	echo 'echo o >/proc/sysrq-trigger; sleep 60'
} >"$start"
chmod +x "$start"

qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "${VM_MEMORY:-1536}" -nographic -no-reboot -nic none \
	-kernel "boot/vmlinuz-$version" -initrd initrd.gz \
	-append "console=ttyS0 quiet loglevel=1 mitigations=off panic=-1 start=$start" \
	-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
	-device virtio-9p-pci,fsdev=root,mount_tag=root </dev/null 2>&1 |
	sed -u 's/\r//g' | tee "$console" |
	# Without the firmware's and the kernel's own words.
	sed -u -n '/the machine has started/,/^the machine ends/{/the machine has started/d;/^the machine ends/d;p}'
status=$(sed -n 's/^the machine ends with \([0-9]*\)$/\1/p' "$console")
[ -n "$status" ] || { tail -n 20 "$console"; echo 'the virtual machine ended before its program did' >&2; }
exit "${status:-1}"
