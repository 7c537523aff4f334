import CLibPQ
import Logging

/// Writes the server's notices to the log: warnings as warnings, the rest at debug level.
final class NoticeReceiver {
    private let logger: Logger
    /// Whether a commit gave up waiting for its standby since this was last set to false: it is committed on the primary,
    /// and may be missing on the standby.
    var gaveUpStandby = false
    /// Whether the server announced, outside of any statement, that it closes the connection.
    private(set) var saidFarewell = false

    init(logger: Logger) {
        self.logger = logger
    }

    /// Installs itself on a new connection; the receiver must outlive the connection.
    func receive(from connection: OpaquePointer) {
        saidFarewell = false
        unsafe _ = PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context = unsafe context, let result = unsafe result else { return }
                unsafe Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue().log(result)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private func log(_ result: OpaquePointer) {
        let severity = unsafe field(result, "V") ?? field(result, "S") ?? ""
        let state = unsafe field(result, "C") ?? ""
        let message = unsafe field(result, "M") ?? ""
        // That warning has no SQLSTATE, and its text is translated; the name of the server's function is not.
        if unsafe field(result, "R") == "SyncRepWaitForLSN" { gaveUpStandby = true }
        if severity == "WARNING" {
            logger.warning("server warning", metadata: ["sqlstate": "\(state)"])
        }
        if severity == "FATAL" || severity == "PANIC" { saidFarewell = true }
        logger.debug("server notice", metadata: ["severity": "\(severity)", "message": "\(message)"])
    }

    private func field(_ result: OpaquePointer, _ letter: Unicode.Scalar) -> String? {
        unsafe PQresultErrorField(result, Int32(letter.value)).map { text in unsafe String(cString: text) }
    }
}
