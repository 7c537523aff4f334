# A connection to pricingd for bash, on socat and jq. Source it, then `connect` once.

# Where the daemon listens, found as every client finds it.
if [[ -n ${PRICINGD_SOCKET:-} ]]; then socket=$PRICINGD_SOCKET
elif [[ -n ${RUNTIME_DIRECTORY:-} ]]; then socket=$RUNTIME_DIRECTORY/pricingd.sock
elif [[ -n ${XDG_RUNTIME_DIR:-} ]]; then socket=$XDG_RUNTIME_DIR/pricingd/pricingd.sock
else socket=/tmp/pricingd-$(id -u)/pricingd.sock
fi

connect() {
    coproc LINK { exec socat - "UNIX-CONNECT:$socket"; }
    link=$LINK_PID
    exec {from}<&"${LINK[0]}" {to}>&"${LINK[1]}"
    trap 'kill "$link" 2>/dev/null || true' EXIT
}

# call METHOD PARAMS: leaves the reply's line in $reply.
call() {
    jq -cn --arg method "$1" --argjson params "$2" \
        '{jsonrpc: "2.0", id: 1, method: $method, params: $params}' >&"$to"
    read_line
    reply=$line
}

# Leaves the next line from the daemon in $line.
read_line() {
    IFS= read -r line <&"$from" || { echo "the daemon at $socket closed the connection" >&2; exit 2; }
}
