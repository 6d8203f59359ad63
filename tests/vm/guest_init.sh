#!/bin/busybox sh
# The guest's first process: inserts the drivers of its root, mounts that below a memory file system,
# and goes there. run_in_vm fills in what stands between @ and @. Complaints go to the kernel's log.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
exec >/dev/kmsg 2>&1
@drivers@
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro root /lower &&
    $b mount -t tmpfs -o size=75% top /top &&
    $b mkdir /top/upper /top/work &&
    $b mount -t overlay -o lowerdir=/lower,upperdir=/top/upper,workdir=/top/work root /new &&
    cd /new || exec $b reboot -f
$b mkdir -p proc sys dev run
$b mount -t proc proc proc
$b mount -t sysfs sys sys
$b mount -t devtmpfs dev dev
$b mount -t tmpfs run run
$b mkdir -p dev/pts dev/shm run/vm lib/modules/@release@
$b mount -t devpts pts dev/pts
$b mount -t tmpfs shm dev/shm
for link in fd: stdin:/0 stdout:/1 stderr:/2; do
    $b ln -s "/proc/self/fd${link#*:}" "dev/${link%:*}"
done
[ @modules@ -ef lib/modules/@release@ ] || $b mount --bind @modules@ lib/modules/@release@
$b cp /command /bin/busybox run/vm
exec $b switch_root /new /run/vm/busybox sh /run/vm/command
