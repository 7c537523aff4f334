import CLibPQ
import Glibc
import Logging

/// One `PGconn` and the blocking waits around libpq's non-blocking calls. Used by one thread.
@safe final class Link {
    /// The open connection; nil before `connect` and after a loss.
    private var connection: OpaquePointer?
    private let control: ConnectionControl
    private let notices: NoticeReceiver
    private var graceEnd: ContinuousClock.Instant?

    init(control: ConnectionControl, logger: Logger) {
        self.control = control
        self.notices = NoticeReceiver(logger: logger)
        unsafe self.connection = nil
    }

    deinit {
        close()
    }

    /// Whether a commit gave up waiting for its standby since this was last set to false.
    var gaveUpStandby: Bool {
        get { notices.gaveUpStandby }
        set { notices.gaveUpStandby = newValue }
    }

    var isOpen: Bool { unsafe connection != nil }
    var serverVersion: Int32 { unsafe connection.map { unsafe PQserverVersion($0) } ?? 0 }
    var transactionStatus: PGTransactionStatusType {
        unsafe connection.map { unsafe PQtransactionStatus($0) } ?? PQTRANS_UNKNOWN
    }

    /// The last error text of libpq, without the end of line that libpq gives each.
    var errorMessage: String {
        guard let connection = unsafe connection else { return "the connection is closed" }
        var text = unsafe String(cString: PQerrorMessage(connection))
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }

    /// The keywords as libpq resolved them, password left out.
    var resolvedKeywords: [String: String] {
        guard let connection = unsafe connection else { return [:] }
        var keywords = unsafe readOptions(PQconninfo(connection))
        keywords["password"] = nil
        return keywords
    }

    /// Connects to one host, within the settings' `connectTimeout`.
    func connect(_ settings: ConnectionSettings) throws(PostgresError) {
        close()
        var keywords = CStrings()
        var values = CStrings()
        for (keyword, value) in settings.with("client_encoding", "UTF8").keywords {
            guard keywords.append(keyword.utf8), values.append(value.utf8) else {
                throw PostgresError(.settings, "a connection keyword holds a NUL byte")
            }
        }
        keywords.appendNull()
        values.appendNull()
        let opened = unsafe keywords.withPointers { keywords in
            unsafe values.withPointers { values in unsafe PQconnectStartParams(keywords, values, 0) }
        }
        guard let opened = unsafe opened else { throw PostgresError(.systemResources, "libpq is out of memory") }
        unsafe connection = unsafe opened
        unsafe notices.receive(from: opened)
        do throws(PostgresError) {
            try unsafe pollConnect(opened, end: .now + settings.connectTimeout)
        } catch {
            close()
            throw error
        }
        unsafe PQsetnonblocking(opened, 1)
        unsafe control.connected(CancelHandle(opened))
    }

    private func pollConnect(_ opened: OpaquePointer, end: ContinuousClock.Instant) throws(PostgresError) {
        var wanted = unsafe PQstatus(opened) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while wanted != PGRES_POLLING_OK {
            guard wanted != PGRES_POLLING_FAILED else {
                throw PostgresError(.connectionFailed, errorMessage)
            }
            let ready = unsafe waitUntilReady(
                PQsocket(opened),
                wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                or: control.wakeDescriptor,
                milliseconds: remainingMilliseconds(until: end)
            )
            if ready.other { throw PostgresError(.cancelled, "given up while the connection was being made") }
            if !ready.descriptor {
                throw PostgresError(.connectionFailed, "the server did not answer within the connect timeout")
            }
            wanted = unsafe PQconnectPoll(opened)
        }
    }

    /// Closes the connection; harmless when it is closed.
    func close() {
        control.connected(nil)
        if let connection = unsafe connection { unsafe PQfinish(connection) }
        unsafe connection = nil
        graceEnd = nil
    }

    /// Hands the connection to a libpq call that returns 1 for success.
    /// - Throws: `.connectionLost`, and closes, when libpq refuses.
    func send(_ call: (OpaquePointer) -> Int32) throws(PostgresError) {
        guard let connection = unsafe connection else {
            throw PostgresError(.connectionLost, "the connection is closed")
        }
        guard unsafe call(connection) == 1 else {
            throw lost()
        }
    }

    /// Sends what is buffered, reading meanwhile so that neither side can block the other.
    func flush() throws(PostgresError) {
        while let connection = unsafe connection {
            switch unsafe PQflush(connection) {
            case 0: return
            case 1:
                let ready = try unsafe wait(connection, POLLIN | POLLOUT)
                if ready, unsafe PQconsumeInput(connection) == 0 { throw lost() }
            default: throw lost()
            }
        }
        throw PostgresError(.connectionLost, "the connection is closed")
    }

    /// The next result, nil at the end of a statement's results. Blocks.
    func nextResult() throws(PostgresError) -> ResultHandle? {
        guard let connection = unsafe connection else {
            throw PostgresError(.connectionLost, "the connection is closed")
        }
        while unsafe PQisBusy(connection) == 1 {
            _ = try unsafe wait(connection, POLLIN)
            // The next result then holds the server's last error, or the connection is lost.
            if unsafe PQconsumeInput(connection) == 0 { break }
        }
        guard let pointer = unsafe PQgetResult(connection) else {
            if unsafe PQstatus(connection) == CONNECTION_BAD { throw lost() }
            return nil
        }
        return unsafe ResultHandle(owning: pointer)
    }

    /// Whether an idle connection is still open: one that the server closed is noticed without a round trip.
    func stillStands() -> Bool {
        guard let connection = unsafe connection else { return false }
        while unsafe waitUntilReady(PQsocket(connection), POLLIN, or: -1, milliseconds: 0).descriptor {
            let isWhole = unsafe PQconsumeInput(connection) == 1 && PQstatus(connection) == CONNECTION_OK
            // `PQisBusy` makes libpq parse what arrived: a server that closes says so in a notice first.
            unsafe _ = PQisBusy(connection)
            guard isWhole, !notices.saidFarewell else {
                close()
                return false
            }
        }
        return true
    }

    /// Blocks until data arrived or the control's pipe was woken; true when data arrived.
    func waitForInput() throws(PostgresError) -> Bool {
        guard let connection = unsafe connection else {
            throw PostgresError(.connectionLost, "the connection is closed")
        }
        let ready = unsafe waitUntilReady(PQsocket(connection), POLLIN, or: control.wakeDescriptor, milliseconds: -1)
        if ready.descriptor, unsafe PQconsumeInput(connection) == 0 { throw lost() }
        return ready.descriptor
    }

    /// The next notification that has already arrived.
    func nextNotification() -> Notification? {
        guard let connection = unsafe connection, let notify = unsafe PQnotifies(connection) else { return nil }
        defer { unsafe PQfreemem(notify) }
        return unsafe Notification(
            channel: String(cString: notify.pointee.relname),
            payload: String(cString: notify.pointee.extra)
        )
    }

    /// Waits for the socket. After a cancel it waits `cancelGrace` more and then gives the connection up; after
    /// `abandon()` it does so at once.
    private func wait(_ connection: OpaquePointer, _ events: Int32) throws(PostgresError) -> Bool {
        while true {
            let ready = unsafe waitUntilReady(
                PQsocket(connection),
                events,
                or: graceEnd == nil ? control.wakeDescriptor : -1,
                milliseconds: graceEnd.map { remainingMilliseconds(until: $0) } ?? -1
            )
            if ready.descriptor { return true }
            if control.abandoned || (graceEnd != nil && !ready.other) { throw lost() }
            graceEnd = .now + ConnectionControl.cancelGrace
        }
    }

    /// Ends the grace of an earlier cancel.
    func beginCall() {
        control.beginCall()
        graceEnd = nil
    }

    private func lost() -> PostgresError {
        let error = PostgresError(.connectionLost, errorMessage)
        close()
        return error
    }
}
