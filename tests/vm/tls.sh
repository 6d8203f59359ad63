#!/usr/bin/env bash
# tls.sh SERVER ENGINE BACKEND VARIANT NAME...: as wire.sh, the wire tests test_NAME.py, over TLS, in a
# guest whose kernel has the module tls. What the server sends has then to be the kernel's work: for
# each file /proc/net/tls_stat counts connections with keys for sending (TlsTxSw), and no errors that
# the tests do not make.
set -uo pipefail
cd "$(dirname "$0")/../wire" || exit 1

server=$1 engine=$2 backend=$3 variant=$4
shift 4
export WIRE_TIMEOUT_S=60 # the first connection makes the kernel look for its ciphers, and all is slow

# counter NAME: its value in the kernel's statistics of TLS.
counter() {
    awk -v name="$1" '$1 == name { print $2 }' /proc/net/tls_stat
}

if [ ! -r /proc/net/tls_stat ]; then
    echo "tls.sh: the kernel has no TLS: is the module loaded?"
    exit 1
fi
failed=0
printf 'Linux %s\n' "$(uname -r)"
for name; do
    before=$(counter TlsTxSw)
    if output=$(python3 -B "test_$name.py" --server "$server" --engine "$engine" \
        --tls "$backend" --variant "$variant" 2>&1); then
        connections=$(($(counter TlsTxSw) - before))
        printf 'ok   %s: %s; the kernel encrypted for %d connections\n' \
            "$name" "${output##*$'\n'}" "$connections"
        if [ "$connections" -le 0 ]; then
            printf 'FAIL %s: the kernel did none of it\n' "$name"
            failed=1
        fi
    else
        printf 'FAIL %s\n%s\n' "$name" "$output"
        failed=1
    fi
done
exit $failed
