#!/usr/bin/env bash
# A failover cluster on one machine, to try and to read: three PostgreSQL under Patroni, three etcd, and a pricingd that
# serves from whichever is the primary.
#
#     up.sh [FOLDER]         starts it, or goes on with what the folder holds; Ctrl-C or SIGTERM stops it
#     up.sh down [FOLDER]    stops it from elsewhere
#
# The daemon's line on stdout says that it serves; the addresses stand on stderr. Everything lies in FOLDER
# (.build/cluster), the shop too: removing the folder removes all of it. Whoever reaches etcd's ports is the master of
# the cluster; here that is every user of this machine. The etcd that Debian's package starts by itself is not used.
#
# PRICINGD_BIN       a folder of programs that are built already
# CLUSTER_PATRONI    a folder of Patroni's programs; else they are installed in FOLDER/venv
# CLUSTER_PORT       the first of twelve ports, four a node: PostgreSQL, Patroni, etcd, etcd's own; else free ones
# CLUSTER_HOSTS      the three nodes' addresses; else 127.0.0.1 for each; both count when FOLDER is made
# CLUSTER_NODE_1     words before the programs of node 1, such as what gives them a network of their own; so too _2, _3
set -euo pipefail
# A PGPASSWORD of ours would overrule the servers' own password files; the others would change what is told below.
unset "${!PG@}" "${!PATRONI_@}" "${!ETCD_@}"
export LC_ALL=C.UTF-8
umask 077

action=up
if [[ ${1:-} == down ]]; then
    action=down
    shift
fi
if (($# > 1)) || [[ ${1:-} == -* ]]; then
    sed -n '2,/^set /{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 64
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(realpath -ms "${1:-$root/.build/cluster}")
cd "$root"
. examples/prepare.sh

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

# PostgreSQL refuses to run as root.
as_server() { "$@"; }
if ((EUID == 0)); then
    as_server() { setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; }
fi

# pid_in FILE: the process that a file names, if it is one of this folder's.
pid_in() {
    local pid=''
    [[ ! -e $1 ]] || IFS= read -r pid <"$1" || true
    [[ $pid ]] && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$folder" && echo "$pid"
}

# end SIGNAL FILE...: signals the processes that the files name, and waits for their end.
end() {
    local signal=$1 file pid tries
    shift
    for file in "$@"; do
        pid=$(pid_in "$file") || continue
        # A process that somebody froze hears nothing before it goes on.
        kill "-$signal" "$pid" 2>/dev/null || true
        kill -CONT "$pid" 2>/dev/null || true
    done
    for file in "$@"; do
        for ((tries = 0; tries < 300; tries++)); do
            pid=$(pid_in "$file") || break
            sleep 0.1
        done
        if pid=$(pid_in "$file"); then kill -KILL "$pid" 2>/dev/null || true; fi
    done
}

end_all() {
    end TERM "$folder/pricingd.pid"
    end TERM "$folder"/[123]/patroni.pid
    # Of a Patroni that was killed the server lives on; INT is a fast shutdown.
    end INT "$folder"/[123]/cluster/postmaster.pid
    end TERM "$folder"/[123]/etcd.pid
}

if [[ $action == down ]]; then
    [[ -e $folder/lock ]] || fail "There is no cluster in $folder"
    exec {lock}<>"$folder/lock"
    if flock -n "$lock"; then
        end_all
    else
        read -r pid <"$folder/lock"
        kill -TERM "$pid"
        flock "$lock"
    fi
    say "Stopped; $folder has its data"
    exit
fi

# A socket's path is short, and the longest is that of a node's server.
((${#folder} < 90)) || fail "$folder is too long a path"
mkdir -p "$folder"
[[ -e $folder/lock || -z $(ls -A "$folder") ]] || fail "$folder holds something else"
[[ -O $folder ]] || fail "$folder is another user's"
# PostgreSQL's user goes through it.
if ((EUID == 0)); then chmod 711 "$folder"; fi
exec {lock}<>"$folder/lock"
flock -n "$lock" || fail "It is up already, as process $(<"$folder/lock")"
echo $$ >"$folder/lock"

# --- What is needed ---------------------------------------------------------------------------------------------------

need etcd:etcd-server python3-venv
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need postgresql
as_server test -x "$folder" || fail "PostgreSQL's user cannot reach $folder: name another folder"
programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
if [[ -z ${PRICINGD_BIN:-} ]]; then
    need_to_build
    swift build -c release --product pricingd
    PRICINGD_BIN=$(swift build -c release --show-bin-path)
fi

# Debian's own Patroni, 3.0.2, has lost acknowledged orders with etcd 3: a frozen primary went on when it thawed.
patroni=${CLUSTER_PATRONI:-$folder/venv/bin}
if [[ ! -x $patroni/patroni ]]; then
    say "Installing Patroni in $folder/venv"
    (
        umask 022
        /usr/bin/python3 -m venv "$folder/venv"
        "$patroni/pip" install --quiet --disable-pip-version-check 'patroni[etcd3]==4.1.5' 'psycopg2-binary==2.9.13' \
            2>"$folder/pip.log" || { cat "$folder/pip.log" >&2 && exit 1; }
    )
fi

# --- Its addresses and passwords, once --------------------------------------------------------------------------------

# Below the ports that the kernel gives to clients, so that they are free the next time too.
free_ports() {
    local first port
    while :; do
        first=$((20000 + RANDOM % 1000 * 12))
        for ((port = first; port < first + 12; port++)); do
            if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue 2; fi
        done
        echo "$first"
        return
    done
}
secret() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

if [[ ! -e $folder/settings ]]; then
    {
        echo "port=${CLUSTER_PORT:-$(free_ports)}"
        echo "hosts=(${CLUSTER_HOSTS:-127.0.0.1 127.0.0.1 127.0.0.1})"
        for name in admin replication owner server api; do echo "${name}_password=$(secret)"; done
    } >"$folder/settings.new"
    mv "$folder/settings.new" "$folder/settings"
fi
port='' hosts=() admin_password='' replication_password='' owner_password='' server_password='' api_password=''
# shellcheck source=/dev/null
. "$folder/settings"
echo "*:*:*:postgres:$admin_password" >"$folder/admin.pgpass"
echo "*:*:*:shop:$owner_password" >"$folder/owner.pgpass"
echo "*:*:*:pricingd:$server_password" >"$folder/server.pgpass"

# address N PLACE: HOST:PORT of a node's PostgreSQL (0), Patroni (1), etcd (2), etcd among its own (3).
address() { echo "${hosts[$1 - 1]}:$((port + ($1 - 1) * 4 + $2))"; }
server_ports=$port,$((port + 4)),$((port + 8))
server_hosts=$(IFS=, && echo "${hosts[*]}")

# url USER DATABASE PASSFILE: the three servers, of which the one counts that writes. Without the times of TCP a client
# notices a host that vanished only after minutes.
url() {
    printf '%s' "host=$server_hosts port=$server_ports user=$1 dbname=$2 passfile='$folder/$3.pgpass'" \
        ' target_session_attrs=read-write connect_timeout=2 tcp_user_timeout=3000' \
        ' keepalives_idle=3 keepalives_interval=1 keepalives_count=3'
}

etcd_hosts='' etcd_cluster=''
for n in 1 2 3; do
    etcd_hosts+=${etcd_hosts:+, }$(address $n 2)
    etcd_cluster+=${etcd_cluster:+,}$n=http://$(address $n 3)
done

# The node's settings; those under `dcs` are written once, when the cluster is made.
patroni_yaml() {
    cat <<END
scope: shop
name: node$1
etcd3:
  hosts: [$etcd_hosts]
restapi:
  listen: $(address "$1" 1)
  connect_address: $(address "$1" 1)
  authentication: {username: patroni, password: $api_password}
bootstrap:
  dcs:
    # A primary that stands still is replaced after ttl; one whose server died, at once.
    ttl: 20
    loop_wait: 1
    retry_timeout: 5
    primary_start_timeout: 0
    # A commit is acknowledged once one of the two others has it, and only who has all of them can become the primary.
    synchronous_mode: quorum
    # While etcd is away the primary goes on as long as every other node agrees.
    failsafe_mode: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters: {max_connections: 100, shared_buffers: 128MB, wal_log_hints: on}
  initdb: [{encoding: UTF8}, {locale: C.UTF-8}, data-checksums]
postgresql:
  listen: $(address "$1" 0)
  connect_address: $(address "$1" 0)
  data_dir: '$folder/$1/cluster'
  bin_dir: $programs
  pgpass: '$folder/$1/pgpass'
  authentication:
    superuser: {username: postgres, password: $admin_password}
    replication: {username: replication, password: $replication_password}
  parameters:
    unix_socket_directories: '$folder/$1'
    wal_sender_timeout: 5s
    wal_receiver_timeout: 5s
    wal_receiver_status_interval: 1s
    tcp_user_timeout: 3s
  pg_hba:
  - local all all scram-sha-256
  - host replication replication samenet scram-sha-256
  - host all all samenet scram-sha-256
END
}

for n in 1 2 3; do
    mkdir -p "$folder/$n"
    patroni_yaml $n >"$folder/$n/patroni.yml"
    if ((EUID == 0)); then chown -R postgres:postgres "$folder/$n"; fi
done

# --- Up ---------------------------------------------------------------------------------------------------------------

finish() {
    local status=$?
    trap '' INT TERM HUP
    # 128 and above is a signal.
    if ((status > 0 && status < 128)); then
        printf '\nFailed; the ends of the logs:\n' >&2
        tail -n 5 "$folder"/*/*.log "$folder"/*.log >&2 || true
    fi
    end_all
    say "Stopped; $folder has its data, and up.sh goes on with it"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# What a script that was killed has left.
end_all

# start NAME COMMAND...: a session of its own, since Ctrl-C is for this script, which stops all in their order.
start() {
    setsid "${@:2}" >>"$folder/$1.log" 2>&1 </dev/null {lock}>&- &
    echo $! >"$folder/$1.pid"
}
# start_on N NAME COMMAND...: one of a node's programs.
start_on() {
    local before=CLUSTER_NODE_$1 words
    read -ra words <<<"${!before:-}"
    if ((EUID == 0)); then words+=(setpriv --reuid=postgres --regid=postgres --clear-groups --); fi
    start "$1/$2" env "${words[@]}" "${@:3}"
}
# until_true SECONDS COMMAND...
until_true() {
    local end=$((SECONDS + $1))
    until "${@:2}"; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}
as_admin() { psql --no-psqlrc -qAtX -v ON_ERROR_STOP=1 -d "$(url postgres postgres admin)" "$@" 2>>"$folder/psql.log"; }
is_whole() { [[ $(as_admin -c "select count(*) from pg_stat_replication where sync_state = 'quorum'") == 2 ]]; }

say "Three etcd, three Patroni, PostgreSQL"
for n in 1 2 3; do
    start_on $n etcd etcd --name $n --data-dir "$folder/$n/etcd" \
        --listen-client-urls "http://$(address $n 2)" --advertise-client-urls "http://$(address $n 2)" \
        --listen-peer-urls "http://$(address $n 3)" --initial-advertise-peer-urls "http://$(address $n 3)" \
        --initial-cluster "$etcd_cluster" --initial-cluster-token shop --auto-compaction-retention 1h --logger zap
    start_on $n patroni "$patroni/patroni" "$folder/$n/patroni.yml"
done
until_true 120 is_whole || fail "The cluster does not come up"

# One role owns the shop's schema, another serves, which may do no more than a shop has to.
as_admin <<END
select format('create role %I login', name) from unnest('{shop,pricingd}'::text[]) name
where name not in (select rolname from pg_roles) \gexec
alter role shop password '$owner_password';
alter role pricingd password '$server_password';
select 'create database shop owner shop' where not exists (select from pg_database where datname = 'shop') \gexec
END
"$PRICINGD_BIN/pricingd" migrate --database-url "$(url shop shop owner)" >&2
url pricingd shop server >"$folder/url"

exec {ready}< <(exec setsid "$PRICINGD_BIN/pricingd" serve --socket "$folder/pricingd.sock" \
    --database-url "$(<"$folder/url")" --reports-url "$(<"$folder/url")" 2>>"$folder/pricingd.log" </dev/null {lock}>&-)
daemon=$!
echo "$daemon" >"$folder/pricingd.pid"
IFS= read -r line <&"$ready" || fail "The daemon does not come up"

for n in 1 2 3; do
    say "node $n  PostgreSQL $(address $n 0), Patroni $(address $n 1), etcd $(address $n 2); logs in $folder/$n"
done
say "look    $patroni/patronictl -c $folder/1/patroni.yml list"
say "psql    psql \"$(url postgres shop admin)\""
say "stop    Ctrl-C, or examples/cluster/up.sh down $folder"
echo "$line"
wait "$daemon"
