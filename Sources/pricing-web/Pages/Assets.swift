import CWebPages
import Glibc
import HTTPTypes
import Markup

/// The files that pages load. Their names carry a hash of their content, so that browsers keep them for ever.
struct Assets: Sendable {
    struct File: Sendable {
        let name: String
        let bytes: [UInt8]
        let hash: String

        init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
            // FNV-1a: it tells versions apart, no more.
            let hash = bytes.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            self.hash = String(hash, radix: 36)
        }

        var type: String {
            switch name.split(separator: ".").last {
            case "css": "text/css; charset=utf-8"
            case "js": "text/javascript; charset=utf-8"
            case "svg": "image/svg+xml"
            default: "application/octet-stream"
            }
        }
    }

    private let embedded: [String: File]
    /// While developing: read from here at each request.
    private let folder: String?

    init(folder: String?) {
        self.folder = folder
        let files = (0..<web_file_count()).compactMap { index -> File? in
            guard let file = unsafe web_file_at(index)?.pointee else { return nil }
            return unsafe File(
                name: String(cString: file.name),
                bytes: Array(UnsafeBufferPointer(start: file.bytes, count: Int(file.length)))
            )
        }
        embedded = Dictionary(files.map { ($0.name, $0) }) { first, _ in first }
    }

    private func file(_ name: String) -> File? {
        guard let known = embedded[name] else { return nil }
        guard let folder, let bytes = Assets.read("\(folder)/\(name)") else { return known }
        return File(name: name, bytes: bytes)
    }

    /// The path at which a page names a file.
    func path(_ name: String) -> String {
        let parts = name.split(separator: ".", maxSplits: 1)
        guard let file = file(name), parts.count == 2 else { return "/assets/\(name)" }
        return "/assets/\(parts[0]).\(file.hash).\(parts[1])"
    }

    func answer(_ visit: Visit) throws -> Answer {
        let parts = visit.parameters.first?.split(separator: ".") ?? []
        guard parts.count == 3, let file = file("\(parts[0]).\(parts[2])") else {
            throw Refusal(404, "There is no such file.")
        }
        let isCurrent = parts[1] == file.hash
        let keep = isCurrent ? "public, max-age=31536000, immutable" : "no-cache"
        return Answer(200, file.type, file.bytes, [(.cacheControl, keep)])
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes += chunk[..<count]
        }
    }
}
