#!/bin/sh
# packages.sh GROUP...: sees to the packages of packages.txt that these groups need, called by the
# Makefile. On Debian and what descends from it, root has what is missing installed, and others are told
# the command, which ends the build. Fedora, Arch and Alpine are told the command and go on: there CMake
# has the last word, and names what it does not find.
#
# packages.sh --known GROUP...: does this release of Debian have all of them? For .ci/debian.
# packages.sh --update: fetches apt's lists. For .ci/debian, too.
#
# Where another apt is at work, as unattended-upgrades is on a machine that was just started, this waits for it.
set -eu
only=
case ${1:-} in
    --known | --update)
        only=$1
        shift
        ;;
esac
list=$(dirname "$0")/../packages.txt
groups=" $* "

# Names in column $1 of the list for the groups asked for, each once.
column() {
    awk -v groups="$groups" -v column="$1" '
        /^[a-z]/ && index(groups, " " $1 " ") {
            name = column <= NF ? $column : "-"
            for (i = 2; i <= column && i <= NF; i++) if ($i ~ /^#/) name = "-"
            if (name != "-" && !seen[name]++) print name
        }' "$list"
}

# Those of the names $2... that the command $1 NAME does not know as installed.
missing() {
    query=$1
    shift
    for name in "$@"; do
        $query "$name" >/dev/null 2>&1 || printf '%s ' "$name"
    done
}

# Says what is missing on a system whose packages the command $1 installs; no names: says nothing.
advise() {
    command=$1
    shift
    [ $# -eq 0 ] || {
        echo "make: these packages are not installed: $*"
        echo "make: what the build needs of them, it will name; to have them all, as root:"
        echo "    $command $*"
    } >&2
}

# --- Debian ---

is_installed() {
    case $(dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null || true) in
        installed*) return 0 ;;
    esac
    return 1
}

# Has the release of apt's lists the package?
is_offered() {
    [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]
}

# Prints which package of an entry A|B is missing: the first that the release has. One that comes later
# does not make up for it: Debian 13 has a node-llhttp, too, which does not serve.
missing_of_choice() {
    for name in $(echo "$1" | tr '|' ' '); do
        is_installed "$name" && return
        if is_offered "$name"; then
            echo "$name"
            return
        fi
    done
    echo "${1##*|}" # not in apt's lists, which may be missing: install_debian asks again
}

missing_debian() {
    for entry in $(column 2); do
        case $entry in
            *'|'*) missing_of_choice "$entry" ;;
            *) is_installed "$entry" || echo "$entry" ;;
        esac
    done | tr '\n' ' '
}

# apt_get ARGUMENT...: apt-get, which may find that another process has the lock of dpkg, of the lists, or of the
# archives. DPkg::Lock::Timeout would have it wait for the first alone, and silently; all three are taken before
# anything is done, so that it can be asked again. After 10 minutes it has failed.
apt_get() {
    tries=120 # 5 seconds apart
    while :; do
        status=0
        errors=$( (LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get "$@" >&3) 2>&1) 3>&1 || status=$?
        case $errors in
            *"Could not get lock"*) ;;
            *) break ;;
        esac
        [ $tries -gt 0 ] || break
        [ $tries -lt 120 ] ||
            echo "make: another process installs packages; waiting for it, up to 10 minutes:" "$errors"
        tries=$((tries - 1))
        sleep 5
    done
    [ -z "$errors" ] || echo "$errors" >&2
    return $status
}

# policy-rc.d (invoke-rc.d(8)) keeps the daemons among the packages from being started.
install_debian() {
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
    fi
    echo "make: fetching apt's lists of packages"
    apt_get update -qq
    set -- $(missing_debian) # now that it is known what this release has
    [ $# -gt 0 ] || return 0
    echo "make: fetching and installing $*"
    apt_get install -y -qq --no-install-recommends "$@"
}

see_to_debian() {
    set -- $(missing_debian)
    if [ $# -eq 0 ]; then
        return
    fi
    if [ "$(id -u)" -ne 0 ] && ! is_offered gcc; then
        echo "make: packages are missing, and apt has no lists to tell which. Please run, and then make again:"
        echo "    sudo apt-get update"
        return 1
    elif [ "$(id -u)" -ne 0 ]; then
        echo "make: these packages are missing, and installing them needs root. Please run:"
        echo "    sudo apt-get install -y --no-install-recommends $*"
        return 1
    fi >&2
    install_debian
}

# Names the entries of which apt's lists have no alternative.
check_known() {
    status=0
    for entry in $(column 2); do
        known=
        for name in $(echo "$entry" | tr '|' ' '); do
            is_offered "$name" && known=1
        done
        [ -n "$known" ] || {
            echo "packages.txt: this release has no $entry" >&2
            status=1
        }
    done
    return $status
}

if [ "$only" = --known ]; then
    check_known
elif [ "$only" = --update ]; then
    apt_get update -qq
elif command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    see_to_debian
elif command -v dnf >/dev/null; then
    advise "dnf install" $(missing "rpm -q --whatprovides" $(column 3))
elif command -v pacman >/dev/null; then
    advise "pacman -S --needed" $(missing "pacman -T" $(column 4))
elif command -v apk >/dev/null; then
    advise "apk add" $(missing "apk info -e" $(column 5))
else
    echo "make: no dpkg, dnf, pacman or apk: packages.txt lists what is needed" >&2
fi
