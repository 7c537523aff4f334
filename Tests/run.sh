#!/usr/bin/env bash
# Builds, lints and runs every test; exits non-zero when anything fails.
#
#     Tests/run.sh [--long] [swift test arguments]
#     Tests/run.sh --only ROOM [swift test arguments]    one room's tests, such as --only JSONRPC; no lint
#     Tests/run.sh --pure [swift test arguments]         the rooms that know no PostgreSQL, which need not be installed
#
# --long runs the release counts: all fuzzing, fault rounds and seasons.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. examples/prepare.sh
exec </dev/null

tests=''
while (($#)); do
    case $1 in
        --long) export PRICINGD_LONG=1 ;;
        --pure) tests=pure ;;
        --only)
            tests=${2:-}
            tests=${tests%Tests}Tests
            if [[ ! -d Tests/$tests ]]; then
                rooms=(Tests/*Tests)
                rooms=("${rooms[@]#Tests/}")
                echo "--only takes one of: ${rooms[*]%Tests}" >&2
                exit 64
            fi
            shift
            ;;
        *) break ;;
    esac
    shift
done

need_for_tests() {
    need socat:socat jq:jq node:nodejs python3:python3 pip3:python3-pip systemd-nspawn:systemd-container
    if [[ ${PRICINGD_LONG:-} ]]; then need etcd:etcd-server python3-venv; fi
}

need_for_pages() {
    # Chromium and what drives it, as Debian has them; curl for a stream that nobody reads.
    need chromium chromium-driver python3-selenium curl:curl pip3:python3-pip
    # axe-core, which judges accessibility, is in no package of Debian's but inside this one of Python's.
    [[ -e .build/axe/axe_playwright_python/axe.min.js ]] ||
        pip3 install --quiet --no-deps --target .build/axe axe-playwright-python==0.1.8
    if [[ ${PRICINGD_LONG:-} && ! -x .build/schemathesis/bin/schemathesis ]]; then
        need python3-venv
        python3 -m venv .build/schemathesis
        .build/schemathesis/bin/pip install --quiet schemathesis==4.32.5
    fi
}

if [[ -n $tests ]]; then
    # Package.swift leaves out every other test target.
    export PRICINGD_TESTS=$tests
    if [[ $tests == pure ]]; then need_to_compile; else need_to_build; fi
    if [[ $tests == EndToEndTests || $tests == FaultTests || $tests == PricingWebTests ]]; then
        if [[ $tests == PricingWebTests ]]; then need_for_pages; else need_for_tests; fi
        swift build --build-tests
    else
        swift build --product pricingdPackageTests
    fi
    exec swift test --skip-build "$@"
fi

need_to_build
need_for_tests
need_for_pages
# Judges beside our own: a test that lacks one is skipped, and says so.
server=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
server=${server#/usr/lib/postgresql/}
need shellcheck:shellcheck python3-jsonschema "postgresql-${server%%/*}-plpgsql-check"

swift format lint --strict --recursive Sources Tests Package.swift
swift build --build-tests
export PRICINGD_REQUIRE_POSTGRES=1
if (($#)); then
    swift test --skip-build "$@"
else
    # Whole daemons are tried alone: what they are asked for has deadlines, and other tests take every core.
    swift test --skip-build --skip '^(EndToEnd|Fault|PricingWeb)Tests\.'
    swift test --skip-build --filter '^EndToEndTests\.'
    swift test --skip-build --filter '^FaultTests\.'
    swift test --skip-build --filter '^PricingWebTests\.'
fi
