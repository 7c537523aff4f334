import CEditLine
import Synchronization

/// libedit on the terminal: one line at a time, on the main thread, which it blocks while it waits for keys.
///
/// What other tasks want to say in the meantime goes through `Announcements`, whose wake reaches the waiting thread.
@MainActor
@safe final class LineEditor {
    /// How reading a line ended.
    enum Outcome: Equatable {
        case line(String)
        case interrupted
        case endOfInput
    }

    /// Called when Tab is pressed, with the text before the cursor.
    var tabPressed: (String) -> Void = { _ in }
    /// Called when another task has woken the editor.
    var woken: () -> Void = {}
    /// What is shown faintly behind the text.
    var hint: (String) -> String? = { _ in nil }
    /// Wakes this editor from any thread.
    let waker: Waker

    private let handle: OpaquePointer
    private var hintBytes: UnsafeMutablePointer<CChar>?

    /// Nil when the terminal refuses.
    init?() {
        var callbacks = unsafe editline_callbacks()
        unsafe callbacks.complete = editorCompletes
        unsafe callbacks.woken = editorWoke
        unsafe callbacks.hint = editorHints
        let box = EditorBox()
        unsafe callbacks.context = unsafe Unmanaged.passRetained(box).toOpaque()
        guard let handle = unsafe editline_create("pricing-repl", callbacks) else { return nil }
        unsafe self.handle = handle
        waker = unsafe Waker(handle: handle)
        box.editor = self
    }

    /// Blocks until a line is there. A pasted line may hold newlines.
    func read(prompt: String) -> Outcome {
        var line: UnsafePointer<CChar>?
        var length = 0
        waker.setReading(true)
        // What was announced since the last look waits no longer.
        _ = waker.wake()
        let outcome = unsafe editline_read(handle, prompt, &line, &length)
        waker.setReading(false)
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

    /// Gives the terminal back. The editor must not be used again.
    func close() { unsafe editline_destroy(handle) }

    func addHistory(_ line: String) { unsafe editline_history_add(handle, line) }

    /// False when there is no readable history.
    @discardableResult
    func loadHistory(from path: String) -> Bool { unsafe editline_history_load(handle, path) >= 0 }

    /// False when the file cannot be written.
    @discardableResult
    func saveHistory(to path: String) -> Bool { unsafe editline_history_save(handle, path) >= 0 }

    private static func string(_ bytes: UnsafePointer<CChar>, _ count: Int) -> String {
        let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        return unsafe String(decoding: buffer, as: UTF8.self)
    }

    /// The hint for `text` as C bytes that stay valid until the next hint.
    fileprivate func hintText(for text: String) -> UnsafePointer<CChar>? {
        unsafe hintBytes?.deallocate()
        unsafe hintBytes = nil
        guard let hint = hint(text), hint.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else { return nil }
        let bytes = hint.utf8.map { CChar(bitPattern: $0) } + [0]
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        unsafe copy.initialize(from: bytes, count: bytes.count)
        unsafe hintBytes = copy
        return unsafe UnsafePointer(copy)
    }

    /// The part of the editor that any thread may use.
    final class Waker: Sendable {
        @safe private struct State: @unchecked Sendable {
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

/// What the C side holds: libedit calls back on the thread that reads, which is the main thread.
@MainActor
private final class EditorBox {
    weak var editor: LineEditor?

    nonisolated init() {}
}

private func withEditor(_ context: UnsafeMutableRawPointer?, _ body: @MainActor (LineEditor) -> Void) {
    guard let context = unsafe context else { return }
    let box = unsafe Unmanaged<EditorBox>.fromOpaque(context).takeUnretainedValue()
    MainActor.assumeIsolated {
        if let editor = box.editor { body(editor) }
    }
}

private func editorCompletes(_ context: UnsafeMutableRawPointer?) {
    unsafe withEditor(context) { $0.tabPressed($0.textBeforeCursor) }
}

private func editorWoke(_ context: UnsafeMutableRawPointer?) {
    unsafe withEditor(context) { $0.woken() }
}

private func editorHints(
    _ context: UnsafeMutableRawPointer?,
    _ text: UnsafePointer<CChar>?
) -> UnsafePointer<CChar>? {
    guard let text = unsafe text else { return nil }
    let line = unsafe String(cString: text)
    nonisolated(unsafe) var hint: UnsafePointer<CChar>?
    unsafe withEditor(context) { unsafe hint = $0.hintText(for: line) }
    return unsafe hint
}
