#!/usr/bin/env bash
# Builds, lints and runs every test; exits non-zero when anything fails.
#
#     Tests/run.sh [--long] [swift test arguments]
#
# --long runs the release counts: all fuzzing, fault rounds and seasons.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. examples/prepare.sh
exec </dev/null

if [[ ${1:-} == --long ]]; then
    export PRICINGD_LONG=1
    shift
fi
need_to_build
need socat:socat jq:jq node:nodejs python3:python3 systemd-nspawn:systemd-container

swift format lint --strict --recursive Sources Tests Package.swift
swift build --build-tests
export PRICINGD_REQUIRE_POSTGRES=1
if (($#)); then
    swift test --skip-build "$@"
else
    # Whole daemons are tried alone: what they are asked for has deadlines, and other tests take every core.
    swift test --skip-build --skip EndToEndTests
    swift test --skip-build --filter EndToEndTests
fi
