#!/bin/sh
# Makes sure that this machine has Prometheus, which one test runs, with its own package manager. Does nothing when it
# is there. Leaves no service running that was not there before.
set -eu

say() { echo "install-prometheus: $*" >&2; }

found() { command -v prometheus > /dev/null; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo > /dev/null; then
        sudo "$@"
    else
        say "needs root to run: $*"
        exit 1
    fi
}

with_apt() {
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get update
    # The package would start a server of its own on port 9090, which nobody here needs.
    policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        as_root apt-get install -y --no-install-recommends prometheus
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null
    as_root chmod 755 "$policy"
    status=0
    as_root apt-get install -y --no-install-recommends prometheus || status=$?
    as_root rm -f "$policy"
    return "$status"
}

found && exit 0
say "no Prometheus found, installing it"

if command -v apt-get > /dev/null; then with_apt
elif command -v dnf > /dev/null; then as_root dnf install -y golang-github-prometheus
elif command -v apk > /dev/null; then as_root apk add prometheus
elif command -v pacman > /dev/null; then as_root pacman -S --noconfirm --needed prometheus
elif command -v zypper > /dev/null; then as_root zypper --non-interactive install golang-github-prometheus-prometheus
elif command -v brew > /dev/null; then brew install prometheus
else
    say "no known package manager; put the program from prometheus.io/download on the PATH"
    exit 1
fi

found || { say "the package holds no program called prometheus; see prometheus.io/download"; exit 1; }
say "done"
