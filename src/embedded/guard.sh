# Ends PostgreSQL when its owner is gone. Its standard input is a pipe whose other end is the owner's life: each line
# is the server's process id, or empty once the owner has seen it end; the end of the input is the end of the owner.
# Arguments: the cluster, "fast" or "immediate", then the directories to remove at the end.
trap '' HUP INT TERM
cluster=$1 mode=$2
shift 2

pid=
while read -r line; do pid=$line; done

# A dead process may stay listed if nobody collects it, and its number may be another's by then, but a server that shuts
# down takes its pid file with it. One that has only just started may not have written it yet.
listed=no
running() {
    [ -n "$pid" ] && kill -0 "$pid" || return 1
    named=
    { read -r named < "$cluster/postmaster.pid"; } 2> /dev/null
    [ "$named" = "$pid" ] && { listed=yes; return 0; }
    [ "$listed" = no ] && [ "$1" -lt 10 ]
}

# Sends the signal, then waits for at most the given number of tenths of a second.
end_with() {
    running 0 || return 0
    kill -s "$1" "$pid"
    tenths=0
    while running "$tenths"; do
        [ "$tenths" -lt "$2" ] || return 1
        sleep 0.1 || sleep 1
        tenths=$((tenths + 1))
    done
}

{ [ "$mode" = fast ] && end_with INT 300; } || end_with QUIT 100 || end_with KILL 50
[ $# -eq 0 ] || rm -rf -- "$@"
