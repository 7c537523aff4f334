# shellcheck shell=bash
# A connection to pricingd for bash, on socat and jq. Source it, then `connect` once.

# Where the daemon listens, found as every client finds it.
if [[ -n ${PRICINGD_SOCKET:-} ]]; then socket=$PRICINGD_SOCKET
elif [[ -n ${RUNTIME_DIRECTORY:-} ]]; then socket=$RUNTIME_DIRECTORY/pricingd.sock
else
    socket=/tmp/pricingd-$(id -u)/pricingd.sock
    if [[ -n ${XDG_RUNTIME_DIR:-} ]]; then socket=$XDG_RUNTIME_DIR/pricingd/pricingd.sock; fi
    installed=/run/pricingd/pricingd.sock
    if [[ -e $installed && ! ( -n ${XDG_RUNTIME_DIR:-} && -e $socket ) ]]; then socket=$installed; fi
fi

# Fails unless root, we or the folder's keeper made the socket: anybody may get to a path in /tmp first. A shell cannot ask
# the kernel who serves, so that this looks at the files.
check_server() {
    local folder=. keeper=none maker place
    if [[ $socket == */* ]]; then folder=${socket%/*}; fi
    place=$(stat -c '%u %F %A' "$folder") && maker=$(stat -L -c %u "$socket") || return
    if [[ $folder =~ ^/tmp/pricingd-([0-9]+)$ ]]; then
        keeper=${BASH_REMATCH[1]}
        [[ $place =~ ^(0|$keeper)\ directory\ d....-..-.$ ]] || {
            echo "$folder is not a folder of uid $keeper alone" >&2
            return 1
        }
    elif [[ $place == *" directory "* ]]; then keeper=${place%% *}
    fi
    [[ $maker =~ ^(0|$(id -u)|$keeper)$ ]] || {
        echo "uid $maker serves at $socket, who is neither root, nor you, nor the folder's keeper" >&2
        return 1
    }
}

connect() {
    check_server || exit 2
    coproc LINK { exec socat - "UNIX-CONNECT:$socket"; }
    link=$LINK_PID
    exec {from}<&"${LINK[0]}" {to}>&"${LINK[1]}"
    trap 'kill "$link" 2>/dev/null || true' EXIT
}

# call METHOD PARAMS: leaves the reply's line in $reply.
# shellcheck disable=SC2034 # read by who sources this
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
