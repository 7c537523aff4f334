import JSON

/// Runs commands, one after the other, and writes what comes of them.
@MainActor
final class Shell {
    /// What to do after a command.
    enum Next {
        case goOn
        /// The operator leaves, or nothing more can work.
        case stop
    }

    let session: Session
    let console: Console
    let interrupts: Interrupts
    /// A prompt survives a lost connection; a script ends.
    let isInteractive: Bool
    /// How the first failure of the run ends the program.
    private(set) var status = ExitStatus.ok

    var format: OutputFormat
    /// What was called last, for `\wire`.
    var lastCall: (method: String, parameters: JSONObject)?
    /// What deeds go by.
    var deeds = DeedState()
    private var expansion = Expansion.auto
    private var isTimed = false
    private var includeDepth = 0

    private static let includeDepthMax = 16

    init(session: Session, console: Console, interrupts: Interrupts, format: OutputFormat, isInteractive: Bool) {
        self.session = session
        self.console = console
        self.interrupts = interrupts
        self.format = format
        self.isInteractive = isInteractive
    }

    /// Runs every command of `lines`.
    func run(lines: consuming LineReader) async -> Next {
        var buffer = StatementBuffer()
        while let line = lines.next() {
            guard let statement = buffer.add(line) else { continue }
            if await run(statement) == .stop { return .stop }
        }
        guard let rest = buffer.drop() else { return .goOn }
        return await run(rest)
    }

    /// Runs one command.
    func run(_ text: String) async -> Next {
        deeds.statement = text
        do throws(SyntaxError) {
            if try CommandLexer.lex(text).needsCatalogue {
                let failure = await interrupts.cancelling { [session] in await session.catalogueFailure() }
                if let failure { return report(failure) }
            }
            return await perform(try CommandLanguage(catalogue: session.catalogue, times: deeds.times).parse(text))
        } catch {
            if let place = error.place { mark(place) }
            return refuse("\(error)")
        }
    }

    private func perform(_ command: Command) async -> Next {
        switch command {
        case .nothing: return .goOn
        case .quit: return .stop
        case .call(let method, let parameters): return await wire(method, parameters)
        case .deed(let deed): return await perform(deed)
        case .attempt(let method, let parameters): return await attempt(method, parameters)
        case .message(let line): return await interrupts.cancelling { await self.exchange(line) }
        case .watch(let seconds, let text):
            return await interrupts.cancelling { await self.watch(text, every: .seconds(seconds)) }
        case .help(let topic): help(topic)
        case .methods(let pattern):
            let found = HelpText(catalogue: session.catalogue).methods(matching: pattern)
            if found.isEmpty { fail("error: no method matches '\(pattern)'") } else { console.show(found) }
        case .expanded(let wanted):
            expansion = wanted ?? (expansion == .off ? .on : .off)
            remark("expanded is \(expansion.rawValue)")
        case .format(let wanted):
            format = wanted ?? format
            remark("format is \(format.rawValue)")
        case .timing(let wanted):
            isTimed = wanted ?? !isTimed
            remark("timing is \(isTimed ? "on" : "off")")
        case .include(let path): return await include(path)
        case .connect(let path):
            do throws(CallFailure) {
                try await session.reconnect(to: path)
                remark("connected to \(session.socket)")
            } catch {
                return report(error)
            }
        }
        return .goOn
    }

    /// A call as it was typed: a write at the prompt is looked at first.
    private func wire(_ method: String, _ parameters: JSONObject) async -> Next {
        var parameters = parameters
        if isLookedAt(method, parameters) {
            switch await preflight(method, parameters, isAttempt: false, isGrave: false) {
            case .ended(let next): return next
            case .refused(let failure): return report(failure)
            case .agreed(let agreed): parameters = agreed
            }
        }
        let agreed = parameters
        lastCall = (method, agreed)
        return await interrupts.cancelling { await self.call(method, agreed) }
    }

    /// A result in the chosen format.
    func showPlain(_ result: JSONObject, _ method: String) -> Next {
        let known = session.catalogue[method]
        let renderer = ResultRenderer(
            format: format,
            expansion: expansion,
            width: console.width,
            columns: known?.columns,
            allColumns: known?.listed,
            kinds: known?.kinds ?? [:],
            times: deeds.times
        )
        return shown(renderer.render(result))
    }

    private func call(_ method: String, _ parameters: JSONObject) async -> Next {
        let clock = ContinuousClock()
        let start = clock.now
        do throws(CallFailure) {
            let result = try await session.call(method, parameters)
            let elapsed = start.duration(to: clock.now)
            guard showPlain(result, method) == .goOn else { return .stop }
            if isTimed { console.complain(TimingText.line(elapsed: elapsed, result: result)) }
            return .goOn
        } catch {
            return report(error)
        }
    }

    private func exchange(_ line: String) async -> Next {
        do throws(CallFailure) {
            guard let reply = try await RawExchange(line: line).run(socket: session.socket) else { return .goOn }
            if RawExchange.isError(reply) { note(.callFailed) }
            return console.show(reply + "\n") ? .goOn : .stop
        } catch {
            return report(error)
        }
    }

    /// Until the task is cancelled or a run fails.
    private func watch(_ text: String, every pause: Duration) async -> Next {
        guard let command = try? CommandLanguage(catalogue: session.catalogue).parse(text) else { return .goOn }
        while !Task.isCancelled {
            let failuresBefore = status
            if isInteractive, console.isTerminal { console.show("— \(text) every \(pause) —\n") }
            let next =
                switch command {
                case .call(let method, let parameters): await call(method, parameters)
                case .message(let line): await exchange(line)
                default: Next.goOn
                }
            if next == .stop { return .stop }
            if status != failuresBefore { break }
            do { try await Task.sleep(for: pause) } catch { break }
        }
        if !isInteractive, Task.isCancelled { note(.interrupted) }
        return isInteractive || !Task.isCancelled ? .goOn : .stop
    }

    private func include(_ path: String) async -> Next {
        guard includeDepth < Self.includeDepthMax else {
            fail("error: \(path): files include each other too deeply")
            return .goOn
        }
        guard let lines = LineReader(path: path) else {
            fail("error: \(path): cannot be read")
            return .goOn
        }
        includeDepth += 1
        defer { includeDepth -= 1 }
        return await run(lines: lines)
    }

    private func help(_ topic: String?) {
        let help = HelpText(catalogue: session.catalogue)
        guard let topic else {
            console.show(help.overview)
            return
        }
        if let text = help.method(named: topic) {
            console.show(text)
        } else {
            let near = help.methods(matching: topic)
            if near.isEmpty { fail("error: there is no method \(topic)") } else { console.show(near) }
        }
    }

    /// A failed call: told, kept for the exit status, and the end of a script when the connection is gone.
    func report(_ failure: CallFailure) -> Next {
        if case .refused(let error) = failure { markViolations(error) }
        // The terminal has echoed the ^C that brought us here.
        let isEchoed = isInteractive && Task.isCancelled
        console.complain(isEchoed ? "\n" + failure.line : failure.line)
        note(failure.status)
        if case .disconnected = failure { return isInteractive ? .goOn : .stop }
        return .goOn
    }

    /// A command that cannot be understood or may not be done.
    func refuse(_ reason: String) -> Next {
        fail("error: \(reason)")
        return .goOn
    }

    private func fail(_ line: String) {
        console.complain(line)
        note(.usage)
    }

    /// Something to know for a person; no result, so never on a script's stdout.
    private func remark(_ line: String) {
        if isInteractive { console.show(line + "\n") }
    }

    private func note(_ failure: ExitStatus) {
        if status == .ok { status = failure }
    }
}
