#!/bin/sh
# Prints the data directory to use: the one given, unless root runs this and the unprivileged user that PostgreSQL
# then runs as cannot reach it, as within root's home. In that case another place is chosen, and said.
set -eu
wanted=$1
elsewhere=/var/lib/millrace

if [ "$(id -u)" -ne 0 ]; then
    echo "$wanted"
    exit
fi

user=postgres
id "$user" > /dev/null 2>&1 || user=nobody

as_user() {
    if command -v setpriv > /dev/null; then
        setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
    elif command -v runuser > /dev/null; then
        runuser -u "$user" -- "$@"
    else
        # The arguments are the words of one simple test; none of them needs quoting but the path, the last.
        su -s /bin/sh "$user" -c 'test -x "$0"' "$3"
    fi
}

# The nearest directory that exists has to let the user through; what is made below it will.
existing=$wanted
while [ ! -d "$existing" ]; do existing=$(dirname "$existing"); done
existing=$(cd "$existing" && pwd -P)
if (cd / && as_user test -x "$existing"); then
    echo "$wanted"
else
    echo "PostgreSQL runs as $user, who cannot enter $existing: the data is kept in $elsewhere" >&2
    echo "$elsewhere"
fi
