import FileTrust
import Glibc
import JSON
import NIOPosix
import Synchronization

/// Keeps every connection's lines in a folder, a file a connection: `> ` before what the peer sent, `< ` before what it was
/// sent, `# ` before what is said about it. So the requests of a conversation can be sent again as they stand.
///
/// Secrets are not kept. A separate thread writes, so that a connection is neither delayed nor broken by it; what the disk
/// does not take is left out.
package final class ConversationMirror: Sendable {
    /// The folder cannot be made or used.
    package struct CannotUse: Error, Sendable, CustomStringConvertible {
        package let folder: String
        package let reason: String

        package var description: String { "the mirror folder \(folder) cannot be used: \(reason)" }
    }

    /// Bytes that wait for the disk at most; lines beyond are left out.
    private static let waitingBytes = 16 << 20

    private let folder: String
    private let instance: String
    private let redaction: Redaction
    private let fileBytes: Int
    private let threads = NIOThreadPool(numberOfThreads: 1)
    private let waiting = Atomic(0)

    /// Makes the folder with mode 0700 when it is missing; others must not be able to write in it.
    package static func prepare(_ folder: String) throws(CannotUse) {
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST, unsafe access(folder, W_OK | X_OK) == 0 else {
            throw CannotUse(folder: folder, reason: unsafe String(cString: strerror(errno)))
        }
        do throws(Distrust) {
            _ = close(try TrustedFile.openFolder(folder, .link))
        } catch {
            throw CannotUse(folder: folder, reason: "\(error)")
        }
    }

    /// - Parameters:
    ///   - folder: where the files go, each of mode 0600.
    ///   - instance: begins each file's name; the connection's number ends it.
    ///   - secrets: names of members whose values are not kept, wherever they stand.
    ///   - fileBytes: how long one file may become.
    package init(folder: String, instance: String, secrets: Set<String>, fileBytes: Int) {
        self.folder = folder
        self.instance = instance
        self.fileBytes = fileBytes
        redaction = Redaction(secrets: secrets)
        threads.start()
    }

    /// The record of one connection; its file is made with the first line.
    func record(_ number: Int) -> Record {
        Record(path: "\(folder)/\(instance)-\(number).mirror", mirror: self)
    }

    /// Waits until everything has been written.
    func finish() async {
        try? await threads.shutdownGracefully()
    }

    /// One connection's file.
    final class Record: Sendable {
        /// The file, and how much it may still take.
        private struct File {
            var descriptor: Int32 = -1
            var room: Int
        }

        private let path: String
        private let mirror: ConversationMirror
        private let file: Mutex<File>

        fileprivate init(path: String, mirror: ConversationMirror) {
            self.path = path
            self.mirror = mirror
            file = Mutex(File(room: mirror.fileBytes))
        }

        deinit {
            file.withLock { if $0.descriptor >= 0 { _ = close($0.descriptor) } }
        }

        /// A line that the peer sent, without its line end.
        func received(_ line: [UInt8]) { keep(line, after: "> ") }

        /// A line that the peer was sent, with or without its line end.
        func sent(_ line: [UInt8]) { keep(line.last == 10 ? Array(line.dropLast()) : line, after: "< ") }

        /// Something that is no line of the conversation.
        func note(_ sentence: String) { keep(Array(sentence.utf8), after: "# ") }

        private func keep(_ line: [UInt8], after mark: String) {
            let mirror = mirror
            guard mirror.waiting.add(line.count, ordering: .relaxed).newValue <= ConversationMirror.waitingBytes else {
                mirror.waiting.subtract(line.count, ordering: .relaxed)
                return
            }
            mirror.threads.submit { [self] _ in
                defer { mirror.waiting.subtract(line.count, ordering: .relaxed) }
                let kept = mark == "# " ? line : mirror.redaction.redacted(line)
                write(Array(mark.utf8) + kept + [10])
            }
        }

        private func write(_ bytes: [UInt8]) {
            file.withLock { file in
                guard file.room > 0 else { return }
                if file.descriptor < 0 {
                    file.descriptor = unsafe Glibc.open(
                        path,
                        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                        0o600
                    )
                }
                let last = Array("# the file is full: mirrorFileBytes \(mirror.fileBytes)\n".utf8)
                let whole = bytes.count + last.count <= file.room
                let text = whole ? bytes : last
                file.room = whole ? file.room - bytes.count : 0
                // A write that fails is left out; the next one may succeed.
                _ = unsafe text.withUnsafeBytes { unsafe Glibc.write(file.descriptor, $0.baseAddress, $0.count) }
            }
        }
    }
}

/// Takes the values of secret members out of a line. Where names cannot be told from values, nothing of it is kept.
private struct Redaction: Sendable {
    let secrets: Set<String>

    /// A line that is no JSON is replaced by one that is none either; positional parameters, which have no names, go.
    func redacted(_ line: [UInt8]) -> [UInt8] {
        guard let value = try? JSONParser.parse(line) else { return Array("not JSON: \(line.count) bytes".utf8) }
        var changed = false
        let redacted = redacted(value, &changed)
        return changed ? redacted.serialized() : line
    }

    private func redacted(_ value: JSONValue, _ changed: inout Bool) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map { redacted($0, &changed) })
        case .object(let object):
            // A violation at the path of a secret quotes the secret.
            let isAboutSecret = object["path"]?.string?.split(separator: "/").contains { secrets.contains(String($0)) }
            var members: [(String, JSONValue)] = []
            for (key, member) in object {
                let isPositional = key == "params" && member.array != nil
                if secrets.contains(key) || isPositional || (key == "got" && isAboutSecret == true) {
                    changed = true
                    members.append((key, blank(member)))
                } else {
                    members.append((key, redacted(member, &changed)))
                }
            }
            return .object(JSONObject(members))
        default: return value
        }
    }

    /// A value of the same type that tells nothing, so that the call is answered alike when it is sent again.
    private func blank(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string: "redacted"
        case .integer, .decimal: 0
        case .array: []
        case .object: [:]
        case .null, .bool: value
        }
    }
}
