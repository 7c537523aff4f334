#!/usr/bin/env bash
# Feeds libFuzzer's inputs to the JSON parser and to the message reader, under AddressSanitizer: a crash, a hang, or a value
# that does not survive a round trip ends it with the input's path.
#
#     Tests/fuzz.sh [SECONDS [FOLDER]]     60 seconds unless told; the corpus and what was built stay in FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${2:-.build/fuzz}
mkdir -p "$folder/corpus"

flags=(-O "-sanitize=fuzzer,address" -parse-as-library -package-name pricingd -swift-version 6 -I "$folder")
flags+=(-enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature MemberImportVisibility)
for module in JSON JSONRPC; do
    mapfile -t sources < <(find "Sources/$module" -name '*.swift')
    swiftc "${flags[@]}" -emit-module -emit-module-path "$folder/$module.swiftmodule" -module-name "$module" \
        -wmo -emit-object -o "$folder/$module.o" "${sources[@]}"
done
cat >"$folder/fuzz.swift" <<'SWIFT'
import JSON
import JSONRPC

@_cdecl("LLVMFuzzerTestOneInput")
package func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    if let value = try? JSONParser.parse(bytes) {
        guard (try? JSONParser.parse(Array("\(value)".utf8))) == value else { fatalError("\(value)") }
    }
    _ = Message(line: bytes)
    return 0
}
SWIFT
swiftc "${flags[@]}" -module-name Fuzz "$folder/fuzz.swift" "$folder/JSON.o" "$folder/JSONRPC.o" -o "$folder/fuzz"
# What the examples say is where it begins.
split --lines=1 --additional-suffix=.json <(cat examples/*.jsonl) "$folder/corpus/example-"
exec "$folder/fuzz" -max_total_time="${1:-60}" -timeout=5 -max_len=4096 -artifact_prefix="$folder/" "$folder/corpus"
