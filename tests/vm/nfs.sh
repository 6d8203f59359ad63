#!/usr/bin/env bash
# nfs.sh SERVER ENGINE...: nfs.py with each engine, in a guest of run_in_vm that has the modules nfsd and nfsv4: the
# kernel's NFS server, which exports a folder of memory to this guest itself, by NFS 4.2.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p /run/nfs/export /run/nfs/mounted
mount -t nfsd nfsd /proc/fs/nfsd
mount -t tmpfs export /run/nfs/export
printf 'Linux %s\n' "$(uname -r)"
python3 -B "$here/nfs.py" /run/nfs/export /run/nfs/mounted "$@"
