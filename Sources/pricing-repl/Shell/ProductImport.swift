import Glibc
import JSON
import PricingClient
import PricingProtocol

/// `pricing-repl import`: a merchant's file, a few rows a call.
@MainActor
final class ProductImport {
    /// What `product.import` is told beside the rows.
    struct Orders {
        var rule: String?
        var createsMissing = false
        var isDryRun = false
    }

    private let session: Session
    private let console: Console
    private let file: ProductFile
    private let path: String
    private let orders: Orders

    private var counts = ["created": Int64(0), "updated": 0, "unchanged": 0]
    private var failures: [Int: ProductFile.Failure] = [:]

    init(_ file: ProductFile, at path: String, _ orders: Orders, _ session: Session, _ console: Console) {
        (self.file, self.path, self.orders, self.session, self.console) = (file, path, orders, session, console)
    }

    /// Does it. When the task is cancelled, the call in flight is waited for, and no other is made.
    func run() async -> ExitStatus {
        var good: [(index: Int, product: JSONObject)] = []
        for (index, row) in file.rows.enumerated() {
            switch row.product {
            case .success(let product): good.append((index, product))
            case .failure(let failure): failures[index] = failure
            }
        }
        var bar = ProgressBar(isInteractive: true)
        let isWatched = isatty(STDERR_FILENO) == 1
        func show(_ done: Int) {
            guard isWatched, let text = bar.show(done: Int64(done), total: Int64(good.count), "rows") else { return }
            console.warn(text)
        }
        var done = 0
        var stopped: Stop?
        show(done)
        while done < good.count, stopped == nil {
            let part = self.part(good[done...])
            let reply = await sent(part)
            switch reply {
            case .success(let reply):
                note(reply, part)
                done += part.count
            case .failure(let failure): stopped = .failed(failure)
            }
            if Task.isCancelled, stopped == nil, done < good.count { stopped = .cancelled }
            show(done)
        }
        console.warn(bar.end())
        return report(stopped, rest: good[done...].map(\.index))
    }

    private enum Stop {
        case cancelled
        case failed(CallFailure)
    }

    // MARK: Calls

    /// Rows of a call: so few that an interrupt is soon heeded. A dry run is one transaction, and locks all its products.
    private var partRows: Int { orders.isDryRun ? 20 : 200 }
    /// Bytes of a call's rows, well below the longest line.
    private static let partBytes = 512 << 10

    private typealias Part = ArraySlice<(index: Int, product: JSONObject)>

    private func part(_ rows: Part) -> Part {
        var bytes = 0
        return rows.prefix(partRows).prefix { row in
            bytes += row.product.serialized().count
            return bytes <= Self.partBytes
        }
    }

    /// Names this import to the daemon. It is no property of the file: the same file given next week must be done, not
    /// answered from what the daemon remembers.
    private let name = String(UInt64.random(in: .min ... .max), radix: 36)

    /// One call, not cancelled with our task. When the connection is lost it is made once more, under the same key.
    private func sent(_ part: Part) async -> Result<JSONObject, CallFailure> {
        var params: JSONObject = ["rows": .array(part.map { .object($0.product) })]
        if let rule = orders.rule { params["rule"] = .string(rule) }
        if orders.createsMissing { params["createMissing"] = true }
        let key = JSONValue.string("import \(name) \(part.startIndex)")
        params["_meta"] = orders.isDryRun ? ["dryRun": true] : ["idempotencyKey": key]
        let (session, call) = (session, params)
        return await Task {
            do throws(CallFailure) {
                return .success(try await session.call("product.import", call))
            } catch .disconnected {
                return await session.result("product.import", call)
            } catch {
                return .failure(error)
            }
        }.value
    }

    private func note(_ reply: JSONObject, _ part: Part) {
        for kind in counts.keys { counts[kind, default: 0] += reply[kind]?.integer ?? 0 }
        for failed in reply["failed"]?.array ?? [] {
            guard let row = failed["row"]?.integer, let given = part.dropFirst(Int(row)).first else { continue }
            failures[given.index] = file.failure(failed["error"] ?? .null)
        }
    }

    // MARK: The report

    /// Failures that are told where a file has all of them.
    private static let toldFailures = 50

    private func report(_ stopped: Stop?, rest: [Int]) -> ExitStatus {
        let told = failures.sorted { $0.key < $1.key }.prefix(orders.isDryRun ? .max : Self.toldFailures)
        for (index, failure) in told { show("line \(file.rows[index].line), \(failure.description)") }
        if told.count < failures.count { show("… and \(failures.count - told.count) more") }
        let count = { (kind: String) in self.counts[kind] ?? 0 }
        let words = "\(count("created")) made, \(count("updated")) changed, \(count("unchanged")) unchanged"
        show("\(orders.isDryRun ? "would be: " : "")\(words), \(failures.count) failed")
        let isWritten = failures.isEmpty || orders.isDryRun || writeFailures()
        if let first = rest.first, let last = rest.last {
            let lines = "lines \(file.rows[first].line) to \(file.rows[last].line)"
            show("\(lines) are still to do: give the same file again, what was done stays as it is")
        }
        switch stopped {
        case .cancelled: return .cancelled
        case .failed(let failure):
            console.complain(failure.line)
            return failure.status
        case nil: return failures.isEmpty && isWritten ? .ok : .callFailed
        }
    }

    private func writeFailures() -> Bool {
        let path = Self.failedPath(path)
        do {
            try TextFile.write(file.failedFile(failures), to: path)
            show("the failed rows are in \(path), to be mended and given to import again")
            return true
        } catch {
            console.complain("error: \(error)")
            return false
        }
    }

    /// `FILE.failed.csv` beside `FILE.csv`; never the file itself.
    static func failedPath(_ path: String) -> String {
        let ending = ".csv"
        let isCSV = path.lowercased().hasSuffix(ending)
        return (isCSV ? String(path.dropLast(ending.count)) : path) + ".failed" + ending
    }

    private func show(_ line: String) { console.show(DisplayText.safe(line) + "\n") }
}
