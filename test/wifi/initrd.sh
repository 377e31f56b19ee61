#!/bin/sh
# Makes an initial RAM disk: mounts the root that the machine's host shares by 9p, read-only, and runs there what the
# kernel's command line names as start=PROGRAM.
# Usage: initrd.sh MODULE-TREE VERSION OUTPUT     (MODULE-TREE holds lib/modules/VERSION)
set -eu

tree=$1 version=$2 output=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/modules" "$work/proc" "$work/sys" "$work/dev" "$work/root"
busybox=$(command -v busybox)
cp "$busybox" "$work/bin/busybox"
# With its libraries, where it is not linked statically.
ldd "$busybox" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
	mkdir -p "$work$(dirname "$library")"
	cp "$library" "$work$library"
done

# In the order in which they have to be loaded.
for module in virtio_pci 9pnet_virtio 9p; do
	modprobe -d "$tree" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
done | awk '!seen[$0]++' | while read -r file; do
	cp "$file" "$work/modules/"
	basename "$file" >>"$work/modules/order"
done

cat >"$work/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </modules/order
mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=262144 root /root
mount -t tmpfs run /root/run
mount --move /proc /root/proc
mount --move /sys /root/sys
mount --move /dev /root/dev
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts pts /root/dev/pts
mount -t tmpfs shm /root/dev/shm
echo 'the machine has started'
exec switch_root /root $(sed -n 's/.*start=\([^ ]*\).*/\1/p' /root/proc/cmdline)
INIT
chmod +x "$work/init"
(cd "$work" && find . | cpio --quiet -o -H newc | gzip -1) >"$output"
