#!/bin/sh
# Makes sure that this machine has PostgreSQL's server programs and a C compiler, with its own package manager.
# Does nothing when both are there. Starts no server and changes none that runs.
set -eu

version_min=14
version_max=18

say() { echo "install-postgres: $*" >&2; }

# The folders Millrace itself looks into (src/embedded/binaries.rs).
postgres_found() {
    for postgres in "$(command -v postgres || true)" "$(pg_config --bindir 2> /dev/null || true)/postgres" \
        /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres /usr/libexec/postgresql*/postgres \
        /usr/lib/postgresql*/bin/postgres /usr/lib64/postgresql-*/bin/postgres \
        /opt/homebrew/opt/postgresql*/bin/postgres /usr/local/opt/postgresql*/bin/postgres \
        /home/linuxbrew/.linuxbrew/opt/postgresql*/bin/postgres \
        /Applications/Postgres.app/Contents/Versions/*/bin/postgres /usr/local/pgsql/bin/postgres \
        /usr/local/bin/postgres; do
        [ -x "$postgres" ] && [ -x "$(dirname "$postgres")/initdb" ] || continue
        version=$("$postgres" --version 2> /dev/null | sed 's/.*(PostgreSQL) \([0-9]*\).*/\1/')
        [ "${version:-0}" -ge "$version_min" ] 2> /dev/null && [ "$version" -le "$version_max" ] && return 0
    done
    return 1
}

compiler_found() { command -v cc > /dev/null; }

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

# Installs the first of the packages that exists.
first_of() {
    install=$1
    shift
    for package in "$@"; do
        # shellcheck disable=SC2086 # the command is several words
        as_root $install "$package" && return 0
    done
    return 1
}

with_apt() {
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get update
    compiler_found || as_root apt-get install -y --no-install-recommends gcc libc6-dev
    postgres_found && return
    # The package would make and start a cluster of its own, which nobody here needs. Only where it is new: the
    # setting of someone who uses PostgreSQL already stays.
    settings=/etc/postgresql-common/createcluster.conf
    if [ ! -e "$settings" ]; then
        as_root apt-get install -y --no-install-recommends postgresql-common
        [ ! -e "$settings" ] || as_root sed -i 's/^#* *create_main_cluster.*/create_main_cluster = false/' "$settings"
    fi
    as_root apt-get install -y --no-install-recommends postgresql
}

with_dnf() {
    compiler_found || as_root "$1" install -y gcc
    postgres_found && return
    # RHEL and its kin default to a version that is too old; Fedora has no such streams and a newer default.
    for stream in 16 15; do
        as_root "$1" module enable -y "postgresql:$stream" > /dev/null 2>&1 && break
    done
    first_of "$1 install -y" postgresql-server postgresql17-server postgresql16-server
}

with_apk() {
    compiler_found || as_root apk add gcc musl-dev
    postgres_found || first_of "apk add" postgresql17 postgresql16 postgresql15
}

with_pacman() {
    compiler_found || as_root pacman -S --noconfirm --needed gcc
    postgres_found || as_root pacman -S --noconfirm --needed postgresql
}

with_zypper() {
    compiler_found || as_root zypper --non-interactive install gcc
    postgres_found || as_root zypper --non-interactive install postgresql-server
}

with_brew() {
    compiler_found || { say "run 'xcode-select --install' for a C compiler"; exit 1; }
    postgres_found || brew install postgresql@17
}

if postgres_found && compiler_found; then
    exit 0
fi
postgres_found || say "no PostgreSQL $version_min to $version_max found, installing it"
compiler_found || say "no C compiler (cc) found, installing one"

if command -v apt-get > /dev/null; then with_apt
elif command -v dnf > /dev/null; then with_dnf dnf
elif command -v yum > /dev/null; then with_dnf yum
elif command -v apk > /dev/null; then with_apk
elif command -v pacman > /dev/null; then with_pacman
elif command -v zypper > /dev/null; then with_zypper
elif command -v brew > /dev/null; then with_brew
else
    say "no known package manager; install PostgreSQL $version_min to $version_max and a C compiler by hand"
    exit 1
fi

postgres_found || { say "the packages here hold no PostgreSQL $version_min to $version_max; see postgresql.org/download"; exit 1; }
compiler_found || { say "still no C compiler (cc)"; exit 1; }
say "done"
