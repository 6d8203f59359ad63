#!/usr/bin/env bash
# wire.sh SERVER ENGINE VARIANT NAME...: the wire tests test_NAME.py in a guest of run_in_vm, one after
# the other, since emulation is slow enough. Says what failed; its exit status is 1 then.
set -uo pipefail
cd "$(dirname "$0")/../wire" || exit 1

server=$1 engine=$2 variant=$3
shift 3
failed=0
printf 'Linux %s\n' "$(uname -r)"
for name; do
    if output=$(python3 -B "test_$name.py" --server "$server" --engine "$engine" \
        --variant "$variant" 2>&1); then
        printf 'ok   %s: %s\n' "$name" "${output##*$'\n'}"
    else
        printf 'FAIL %s\n%s\n' "$name" "$output"
        failed=1
    fi
done
exit $failed
