/// What a name that does not exist may have meant.
package enum NearNames {
    /// The nearest of some names, best first, at most three.
    /// - Parameter most: the most letters that may differ.
    package static func of(_ name: String, among names: [String], within most: Int = 4) -> [String] {
        names.map { (name: $0, distance: editDistance(Array(name.utf8.prefix(64)), Array($0.utf8))) }
            .filter { $0.distance <= most }
            .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
            .prefix(3).map(\.name)
    }

    /// Levenshtein (1966): the fewest insertions, deletions and substitutions between two texts.
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let cost = a == b ? diagonal : diagonal + 1
                diagonal = row[j + 1]
                row[j + 1] = min(cost, row[j] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
