# shellcheck shell=bash
# Sourced by quickstart.sh, cluster/up.sh, shell/many_shops.sh and Tests/run.sh: what a Debian 12 machine needs before
# anything can be built.

# need [COMMAND:]PACKAGE...: installs the Debian packages that are missing. With a command, the package counts as there
# when the command is, wherever it came from.
need() {
    local entry package missing=() sudo=()
    for entry in "$@"; do
        package=${entry#*:}
        if [[ $entry == *:* ]] && command -v "${entry%%:*}" >/dev/null; then continue; fi
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    echo "Installing Debian packages: ${missing[*]}"
    if ((EUID)); then
        command -v sudo >/dev/null || {
            echo "This needs root. As root, run: apt-get install ${missing[*]}" >&2
            return 1
        }
        sudo=(sudo)
    fi
    "${sudo[@]}" apt-get update -qq &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# What Swift and the rooms without PostgreSQL want.
need_to_compile() {
    need git:git pkg-config:pkg-config ld:binutils libc6-dev libgcc-12-dev libstdc++-12-dev libedit-dev
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p')
    if [[ -z $version || $(printf '%s\n' 6.2 "$version" | sort -V | head -n 1) != 6.2 ]]; then
        echo "Swift 6.2 or later is needed, ${version:-none} is installed: https://www.swift.org/install/linux/" >&2
        return 1
    fi
}

# What the whole build and the private cluster want.
need_to_build() {
    need_to_compile
    need libpq-dev
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need postgresql
}
