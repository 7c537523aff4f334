import CEditLine
import Glibc
import Synchronization

/// What helps while a line is typed. Called on the thread that reads.
protocol LineHelp: Sendable {
    /// Tab was pressed.
    func tabPressed(in editor: LineEditor)
    /// Another task has woken the editor.
    func woken(_ editor: LineEditor)
    /// What is shown faintly behind `text`.
    func hint(for text: String) -> String?
    /// What may follow `text`, and is taken by Right or End.
    func suggestion(for text: String) -> String?
    /// The style of each character of `text`, as `editline_callbacks` has them; nil for none.
    func styles(of text: String) -> String?
    /// Whether Enter goes on in another row, since `text` still lacks something.
    func isOpen(_ text: String) -> Bool
}

/// libedit on the terminal: one line at a time, read on a thread of its own.
///
/// Unchecked because it is confined by turns: while `read` waits, only the reading thread (and so `LineHelp`) uses the
/// editor; before and after, only the caller does. Other tasks use the `Waker`.
@safe
final class LineEditor: @unchecked Sendable {
    /// How reading a line ended.
    enum Reading: Equatable {
        case line(String)
        case interrupted
        case endOfInput
    }

    /// Wakes this editor from any thread.
    let waker: Waker

    private let handle: OpaquePointer
    private var help: (any LineHelp)?

    /// Nil when the terminal refuses.
    init?() {
        let box = EditorBox()
        var callbacks = unsafe editline_callbacks()
        unsafe callbacks.complete = editorCompletes
        unsafe callbacks.woken = editorWoke
        unsafe callbacks.hint = editorHints
        unsafe callbacks.suggestion = editorSuggests
        unsafe callbacks.style = editorStyles
        unsafe callbacks.is_open = editorIsOpen
        unsafe callbacks.context = unsafe Unmanaged.passRetained(box).toOpaque()
        guard let handle = unsafe editline_create("pricing-repl", callbacks) else { return nil }
        unsafe self.handle = handle
        waker = unsafe Waker(handle: handle)
        box.editor = self
    }

    /// Waits for a line, with `text` already there. It may hold newlines.
    ///
    /// The thread is ours and not the pool's: a pool of two must not lose one to a person who thinks, and what a
    /// blocked worker of Dispatch starts may wait until it is free again.
    func read(prompt: String, text: String = "", help: any LineHelp) async -> Reading {
        await withCheckedContinuation { continuation in
            let started = ReadingThread.start { [self] in
                continuation.resume(returning: readHere(prompt: prompt, text: text, help: help))
            }
            if !started { continuation.resume(returning: .endOfInput) }
        }
    }

    private func readHere(prompt: String, text: String, help: any LineHelp) -> Reading {
        var line: UnsafePointer<CChar>?
        var length = 0
        self.help = help
        waker.setReading(true)
        // What was announced since the last look waits no longer.
        _ = waker.wake()
        let outcome = unsafe editline_read(handle, prompt, text, &line, &length)
        waker.setReading(false)
        self.help = nil
        switch outcome {
        case EDITLINE_LINE:
            guard let line = unsafe line else { return .endOfInput }
            return .line(unsafe Self.string(line, length))
        case EDITLINE_INTERRUPTED: return .interrupted
        default: return .endOfInput
        }
    }

    /// The text before the cursor.
    var textBeforeCursor: String {
        var length = 0
        var cursor = 0
        guard let text = unsafe editline_text(handle, &length, &cursor) else { return "" }
        return unsafe Self.string(text, cursor)
    }

    /// Puts `text` in place of `word`, which ends at the cursor.
    func replace(word: String, with text: String) {
        unsafe editline_replace(handle, Int32(clamping: word.unicodeScalars.count), text)
    }

    /// Prints whole lines above the prompt.
    func printAbove(_ text: String) {
        unsafe editline_print_above(handle, text, text.utf8.count)
    }

    /// Draws the prompt anew with another text.
    func setPrompt(_ prompt: String) { unsafe editline_set_prompt(handle, prompt) }

    /// Gives the terminal back. The editor must not be used again.
    func close() { unsafe editline_destroy(handle) }

    func addHistory(_ line: String) { unsafe editline_history_add(handle, line) }

    private static func string(_ bytes: UnsafePointer<CChar>, _ count: Int) -> String {
        let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        return unsafe String(decoding: buffer, as: UTF8.self)
    }

    fileprivate func completes() { help?.tabPressed(in: self) }

    fileprivate func woke() { help?.woken(self) }

    fileprivate func isOpen(_ text: UnsafePointer<CChar>, _ length: Int) -> Bool {
        help?.isOpen(unsafe Self.string(text, length)) ?? false
    }

    fileprivate func hint(for text: String) -> String? { help?.hint(for: text) }

    fileprivate func styles(of text: String) -> String? { help?.styles(of: text) }

    fileprivate func suggestion(for text: String) -> String? { help?.suggestion(for: text) }

    /// Writes `text` into `room` as C text. Only ASCII is shown: its bytes are its columns.
    fileprivate static func copy(_ text: String?, into room: UnsafeMutableBufferPointer<CChar>) {
        let text = text ?? ""
        let isPlain = text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
        let bytes = isPlain ? text.utf8.prefix(room.count - 1).map { CChar(bitPattern: $0) } : []
        for (index, byte) in (bytes + [0]).enumerated() { unsafe room[index] = byte }
    }

    /// The part of the editor that any thread may use.
    final class Waker: Sendable {
        @safe
        private struct State: @unchecked Sendable {
            let handle: OpaquePointer
            var isReading = false
        }

        private let state: Mutex<State>

        fileprivate init(handle: OpaquePointer) { state = unsafe Mutex(State(handle: handle)) }

        /// Makes the waiting editor look at what is announced. False when no line is being read.
        func wake() -> Bool {
            state.withLock { state in
                if state.isReading { unsafe editline_wake(state.handle) }
                return state.isReading
            }
        }

        /// Whether a line is being read.
        var isReading: Bool { state.withLock { $0.isReading } }

        /// The program was stopped and goes on.
        func resume() {
            state.withLock { state in
                if state.isReading { unsafe editline_resumed(state.handle) }
            }
        }

        /// Like Ctrl-C at the prompt. False when no line is being read.
        func interrupt() -> Bool {
            state.withLock { state in
                if state.isReading { unsafe editline_interrupt(state.handle) }
                return state.isReading
            }
        }

        fileprivate func setReading(_ isReading: Bool) { state.withLock { $0.isReading = isReading } }
    }
}

/// What the C side holds: the way back to the editor.
private final class EditorBox {
    weak var editor: LineEditor?
}

private func editor(_ context: UnsafeMutableRawPointer?) -> LineEditor? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<EditorBox>.fromOpaque(context).takeUnretainedValue().editor
}

private func editorCompletes(_ context: UnsafeMutableRawPointer?) {
    unsafe editor(context)?.completes()
}

private func editorWoke(_ context: UnsafeMutableRawPointer?) {
    unsafe editor(context)?.woke()
}

/// What the editor says of a text, as C takes it.
private func answer(
    _ text: UnsafePointer<CChar>?,
    _ room: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ said: (String) -> String?
) {
    guard let text = unsafe text, let room = unsafe room, size > 0 else { return }
    let buffer = unsafe UnsafeMutableBufferPointer(start: room, count: size)
    unsafe LineEditor.copy(said(String(cString: text)), into: buffer)
}

private func editorHints(
    _ context: UnsafeMutableRawPointer?,
    _ text: UnsafePointer<CChar>?,
    _ room: UnsafeMutablePointer<CChar>?,
    _ size: Int
) {
    unsafe answer(text, room, size) { unsafe editor(context)?.hint(for: $0) }
}

private func editorStyles(
    _ context: UnsafeMutableRawPointer?,
    _ text: UnsafePointer<CChar>?,
    _ room: UnsafeMutablePointer<CChar>?,
    _ size: Int
) {
    unsafe answer(text, room, size) { unsafe editor(context)?.styles(of: $0) }
}

private func editorSuggests(
    _ context: UnsafeMutableRawPointer?,
    _ text: UnsafePointer<CChar>?,
    _ room: UnsafeMutablePointer<CChar>?,
    _ size: Int
) {
    unsafe answer(text, room, size) { unsafe editor(context)?.suggestion(for: $0) }
}

private func editorIsOpen(
    _ context: UnsafeMutableRawPointer?,
    _ text: UnsafePointer<CChar>?,
    _ length: Int
) -> Bool {
    guard let editor = unsafe editor(context), let text = unsafe text else { return false }
    return unsafe editor.isOpen(text, length)
}
