import JSON
import JSONRPC
import RPCTransport

/// Runs commands, one after the other, and writes what comes of them.
@MainActor
final class Shell {
    /// What to do after a command.
    enum Next {
        case goOn
        /// The operator leaves, or a script ends at its first error.
        case stop
    }

    let session: Session
    let console: Console
    let interrupts: Interrupts
    /// A prompt survives failures; a script ends at the first, unless told to go on.
    let isInteractive: Bool
    var goesOn = false
    /// Where events go that come unasked; nil in a script.
    var feed: EventFeed?
    /// What `\e` wrote, for the next line.
    var draft: String?
    /// Where the session is recorded; nil for nowhere.
    var recorder: Recorder?
    /// Tells something at once, on any thread: of a line that is typed, above it.
    var tellsBeside: @Sendable (String) -> Void
    /// How the first failure of the run ends the program.
    private(set) var status = ExitStatus.ok
    private(set) var failures = 0

    var format: OutputFormat
    /// What deeds go by.
    var deeds = DeedState()
    var expansion = Expansion.auto
    var isTimed = false
    /// What was called last.
    var lastCall: (method: String, parameters: JSONObject)?
    /// Why the last call that was refused was.
    private var lastReason: String?
    /// What was typed last, but for the shell's own commands.
    private var lastText = ""
    private var isLeaving = false
    private var variables = Variables()
    private var includeDepth = 0
    /// `file:line`, while a file is run.
    private var place: String?

    private static let includeDepthMax = 16

    init(session: Session, console: Console, interrupts: Interrupts, format: OutputFormat, isInteractive: Bool) {
        self.session = session
        self.console = console
        self.interrupts = interrupts
        self.format = format
        self.isInteractive = isInteractive
        tellsBeside = { [console] in console.complain($0) }
    }

    /// Runs every command of `lines`, which `name` names in errors; one that fails ends them.
    func run(lines: consuming LineReader, of name: String) async -> Next {
        let outer = place
        defer { place = outer }
        var buffer = StatementBuffer()
        var (number, start) = (0, 1)
        while let line = lines.next() {
            number += 1
            if !buffer.isOpen { start = number }
            place = "\(name):\(start)"
            guard let statement = buffer.add(line) else { continue }
            let failed = failures
            if await run(statement) == .stop { return .stop }
            if failures > failed, isInteractive, !goesOn { return .goOn }
        }
        guard let rest = buffer.drop() else { return .goOn }
        return await run(rest)
    }

    /// Runs one command, and records it where a recording is kept.
    func run(_ text: String) async -> Next {
        guard let recorder, includeDepth == 0, !text.allSatisfy(\.isWhitespace) else { return await execute(text) }
        recorder.begin()
        let next = await execute(text)
        let isKept = HistoryFile.keeps(text, secrets: session.catalogue.secrets) && !text.hasPrefix("\\e")
        recorder.end(text, isKept: isKept && !isLeaving)
        return next
    }

    func execute(_ text: String) async -> Next {
        deeds.statement = text
        do throws(SyntaxError) {
            let redirection = try Redirection.split(try variables.filled(text))
            let line = try CommandLexer.lex(redirection.command)
            if case .backslash(let name, let rest) = line, BackslashCommand(named: name) == .watch,
                let order = WatchOrder(rest)
            {
                deeds.statement = CommandLanguage.statement(of: order.command)
            } else {
                deeds.statement = redirection.command
            }
            let isShaped = redirection.target != nil || format != .json
            if let failure = await learn(line.need(isShaped: isShaped)) { return report(failure) }
            let language = CommandLanguage(catalogue: session.catalogue, times: deeds.times)
            let command = try language.parse(redirection.command)
            switch command {
            case .call, .message, .deed, .attempt: lastText = text
            default: break
            }
            return await perform(command, into: redirection.target)
        } catch {
            if let place = error.place { mark(place) }
            return refuse("\(error)")
        }
    }

    /// Asks for what is not known yet of the server's methods.
    func learn(_ need: CommandLexer.Need) async -> CallFailure? {
        await interrupts.cancelling(left: CallFailure.refused(.cancelled)) { [session] in await session.learn(need) }
    }

    private func perform(_ command: Command, into target: Redirection.Target?) async -> Next {
        switch command {
        case .call(let method, let parameters): return await wire(method, parameters, into: target)
        case .deed(let deed): return await perform(deed, into: target)
        case .attempt(let method, let parameters): return await attempt(method, parameters)
        case .message(let line):
            return await interrupts.cancelling(left: .goOn) { await self.exchange(line) }
        case .watch(let order): return await watch(order)
        case .explain(let reason):
            guard let reason = reason ?? lastReason else { return fail("error: nothing was refused yet") }
            return await wire("server.explain", ["reason": .string(reason.uppercased())], into: target)
        default:
            guard target == nil else { return fail("error: only a call's result goes to a file or a format") }
            return await performOwn(command)
        }
    }

    /// The commands of the shell itself.
    private func performOwn(_ command: Command) async -> Next {
        switch command {
        case .quit:
            isLeaving = true
            return .stop
        case .help(let topic): return help(topic)
        case .methods(let pattern):
            let found = HelpText(catalogue: session.catalogue, width: console.width).methods(matching: pattern)
            if found.isEmpty { return fail("error: no method matches '\(pattern)'") }
            console.show(found)
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
        case .wire(let wanted):
            let isOn = wanted ?? (session.trace == nil)
            session.trace = isOn ? wireTrace : nil
            remark("the wire is \(isOn ? "shown" : "not shown")")
        case .tour: return await tour()
        case .mute(let wanted): remark(feed?.mute(wanted) ?? "there is no prompt above which events are shown")
        case .set(let name, let value):
            do throws(SyntaxError) { try variables.set(name, to: value) } catch { return fail("error: \(error)") }
        case .listSet: console.show(variables.listing)
        case .asCode(let language, let text): return code(in: language, text)
        case .edit(let text): return edit(text ?? lastText)
        case .nothing, .call, .deed, .attempt, .message, .watch, .explain: break
        }
        return .goOn
    }

    /// A call as it was typed: a write at the prompt is looked at first.
    private func wire(_ method: String, _ parameters: JSONObject, into target: Redirection.Target?) async -> Next {
        var parameters = parameters
        lastCall = (method, parameters)
        if isLookedAt(method, parameters) {
            switch await preflight(method, parameters, isAttempt: false, isGrave: false) {
            case .ended(let next): return next
            case .refused(let failure): return report(failure)
            case .agreed(let agreed): parameters = agreed
            }
        }
        let agreed = parameters
        lastCall = (method, agreed)
        return await interrupts.cancelling(left: .goOn) { await self.call(method, agreed, into: target) }
    }

    /// A result in the chosen format.
    func showPlain(_ result: JSONObject, _ method: String) -> Next { shown(renderer(of: method).render(result)) }

    /// The lines as they are, so that they may be sent by other means.
    private var wireTrace: RPCClient.Trace {
        let (sent, came) = Environment.isUnicode ? ("→ ", "← ") : ("-> ", "<- ")
        return { [tellsBeside] line, isReply in
            tellsBeside((isReply ? came : sent) + DisplayText.safe(String(decoding: line, as: UTF8.self)))
        }
    }

    private func code(in language: CallCode, _ text: String?) -> Next {
        var shown = lastCall
        if let text {
            guard
                case .call(let method, let parameters)? = try? CommandLanguage(catalogue: session.catalogue).parse(text)
            else { return fail("error: \(text) is no call") }
            shown = (method, parameters)
        }
        guard let shown else { return fail("error: nothing was called yet") }
        console.show(language.text(method: shown.method, parameters: shown.parameters, socket: session.socket))
        return .goOn
    }

    private func edit(_ text: String) -> Next {
        guard isInteractive else { return fail("error: \\e is for the prompt") }
        guard let edited = ExternalEditor.edit(text) else { return fail("error: the editor did not end well") }
        draft = edited
        return .goOn
    }

    private func include(_ path: String) async -> Next {
        guard includeDepth < Self.includeDepthMax else {
            return fail("error: \(path): files include each other too deeply")
        }
        guard let lines = LineReader(path: path) else { return fail("error: \(path): cannot be read") }
        includeDepth += 1
        defer { includeDepth -= 1 }
        return await run(lines: lines, of: path)
    }

    private func help(_ topic: String?) -> Next {
        let help = HelpText(catalogue: session.catalogue, width: console.width)
        guard let topic else {
            console.show(help.overview)
            return .goOn
        }
        if let text = help.topic(topic) {
            console.show(text)
            return .goOn
        }
        let near = help.methods(matching: topic)
        guard !near.isEmpty else { return fail("error: there is no method \(topic)") }
        console.show(near)
        return .goOn
    }

    /// A failed call: told with its place in a file, kept for the exit status, and the end of a script.
    func report(_ failure: CallFailure) -> Next {
        if case .refused(let error) = failure {
            lastReason = error.reason
            markRefused(error)
        }
        complain(failure.line)
        if case .refused(let error) = failure, error.data["wouldChange"] != nil {
            console.warn(EffectView(error.data).text(width: console.width, palette: deeds.palette))
        }
        note(failure.status)
        if isInteractive { return .goOn }
        if case .disconnected = failure { return .stop }
        return goesOn ? .goOn : .stop
    }

    /// A command that cannot be understood or may not be done.
    func refuse(_ reason: String) -> Next { fail("error: \(reason)") }

    func fail(_ line: String) -> Next {
        complain(line)
        note(.usage)
        return isInteractive || goesOn ? .goOn : .stop
    }

    /// On a terminal broken between words: a number that is cut is another one.
    private func complain(_ line: String) {
        tell(DisplayText.wrapped(place.map { "\($0): \(line)" } ?? line, to: console.width))
    }

    /// One line beside the results; of a call that the operator has left, above the prompt.
    func tell(_ line: String) {
        if Interrupts.run?.isLeft == true, let feed {
            feed.take(text: line)
        } else {
            console.complain(line)
        }
    }

    /// A result. False when its reader is gone.
    func show(_ text: String) -> Bool {
        guard Interrupts.run?.isLeft == true, let feed else { return console.show(text) }
        feed.take(text: "the call that was left has ended:\n" + text)
        return true
    }

    /// Something to know for a person; no result, so never on a script's stdout.
    private func remark(_ line: String) {
        if isInteractive { console.show(line + "\n") }
    }

    func note(_ failure: ExitStatus) {
        failures += 1
        if status == .ok { status = failure }
    }
}
