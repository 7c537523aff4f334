import CLibPQ
import Logging

/// Takes the server's notices to the log: warnings as warnings, the rest at debug level.
final class NoticeReceiver {
    private let logger: Logger
    /// Whether a commit was told to wait for its standby no longer, since this was last set to false: it is committed
    /// here, and may not be there.
    var gaveUpStandby = false
    /// Whether the server said, while nothing was asked of it, that it hangs up.
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
        // The warning has no SQLSTATE of its own; the name of the server's function is in no language.
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
