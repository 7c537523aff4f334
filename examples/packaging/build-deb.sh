#!/usr/bin/env bash
# Makes a Debian package of the programs, as a service with its private PostgreSQL cluster: build-deb.sh [OUTDIR].
# The programs carry Swift's libraries in them, so that the machine needs no toolchain. PRICINGD_BIN, when set, is a
# folder of programs that are built already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=${1:-.build/deb}
programs=(pricingd pricing-repl pricing-simulate pricing-web pricing-bench)
if [[ -z ${PRICINGD_BIN:-} ]]; then
    # Apart from other builds, which link Swift's libraries otherwise.
    options=(-c release --static-swift-stdlib --scratch-path .build/static)
    for program in "${programs[@]}"; do swift build "${options[@]}" --product "$program"; done
    PRICINGD_BIN=$(swift build "${options[@]}" --show-bin-path)
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
put() { install -D -m "$1" "$2" "$root/$3"; }

# A page of the manual from what a program says of itself.
manual() {
    local program=$1 version=$2
    shift 2
    local words='/^SUBCOMMANDS:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p'
    printf '.TH %s 1 "" "pricingd %s"\n.SH NAME\n%s \\- %s\n' "${program^^}" "$version" "$program" \
        "$("$@" --help | sed -n '1s/^OVERVIEW: //p')"
    page() { printf '.SH %s\n.nf\n' "$1" && sed 's/\\/\\e/g; s/^\([.'\'']\)/\\\&\1/; s/-/\\-/g' && printf '.fi\n'; }
    "$@" --help | page DESCRIPTION
    local command
    for command in $("$@" --help | sed -n "$words"); do
        "$@" help "$command" | page "$program $command"
    done
}

version=$("$PRICINGD_BIN/pricingd" --version)
for program in "${programs[@]}"; do
    install -D "$PRICINGD_BIN/$program" "$root/usr/bin/$program"
    strip "$root/usr/bin/$program"
    run=("$PRICINGD_BIN/$program")
    "${run[@]}" --generate-completion-script bash >"$root/script"
    put 644 "$root/script" "usr/share/bash-completion/completions/$program"
    "${run[@]}" --generate-completion-script zsh >"$root/script"
    put 644 "$root/script" "usr/share/zsh/vendor-completions/_$program"
    "${run[@]}" --generate-completion-script fish >"$root/script"
    put 644 "$root/script" "usr/share/fish/vendor_completions.d/$program.fish"
    manual "$program" "$version" "${run[@]}" | gzip -9n >"$root/script"
    put 644 "$root/script" "usr/share/man/man1/$program.1.gz"
done
rm "$root/script"

# The units of the examples, with the groups that the package makes.
groups='--operator-group pricingd --viewer-group pricingd-viewer --admin-group pricingd-admin --gateway-group pricing-web'
mkdir -p "$root/lib/systemd/system"
for unit in pricingd.service pricing-web.service; do
    sed -e '/^#/{/^# [A-Z].*under systemd/!d}' -e 's|/usr/local/bin/|/usr/bin/|' \
        -e "s|--operator-group pricingd|$groups --metrics-socket /run/pricingd/metrics.sock|" \
        "examples/$unit" >"$root/lib/systemd/system/$unit"
    chmod 644 "$root/lib/systemd/system/$unit"
done
put 644 examples/packaging/pricingd.socket lib/systemd/system/pricingd.socket
put 644 examples/packaging/sysusers.conf usr/lib/sysusers.d/pricingd.conf
put 644 examples/packaging/tmpfiles.conf usr/lib/tmpfiles.d/pricingd.conf
put 644 examples/packaging/dashboard.json usr/share/pricingd/dashboard.json
put 644 examples/packaging/alerts.yml usr/share/pricingd/alerts.yml
put 644 README.md usr/share/doc/pricingd/README.md
for page in Sources/pricingd/pricingd.docc/*.md; do put 644 "$page" "usr/share/doc/pricingd/${page##*/}"; done
mkdir -p "$root/usr/share/doc/pricingd/examples"
cp -R examples/node examples/python examples/nginx.conf examples/Caddyfile examples/scenarios.csv examples/*.jsonl \
    "$root/usr/share/doc/pricingd/examples/"
find "$root/usr/share/doc" -name __pycache__ -prune -exec rm -rf {} +
chmod -R u=rwX,go=rX "$root/usr/share/doc"

mkdir "$root/DEBIAN"
for script in postinst prerm postrm; do install -m 755 "examples/packaging/$script" "$root/DEBIAN/$script"; done
cat >"$root/DEBIAN/control" <<END
Package: pricingd
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: pricingd <root@localhost>
Section: database
Priority: optional
Depends: libc6 (>= 2.36), libedit2, libgcc-s1, libpq5 (>= 15), libstdc++6 (>= 12), postgresql (>= 15), systemd, init-system-helpers
Installed-Size: $(du -sk "$root" | cut -f 1)
Description: stock and prices of a shop
 A daemon that keeps a shop's stock and prices in PostgreSQL and serves them over a Unix socket, with an operator's
 shell, a simulator and pages for browsers.
END
mkdir -p "$out"
package=$out/pricingd_${version}_$(dpkg --print-architecture).deb
dpkg-deb --root-owner-group --build "$root" "$package" >&2
echo "$package"
