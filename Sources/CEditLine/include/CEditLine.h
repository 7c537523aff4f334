/// libedit's native API as plain, non-variadic functions on one opaque handle.
///
/// Swift cannot call variadic C (`el_set`, `history`), and libedit's user functions return codes that only C
/// should know. Every function but `editline_wake` and `editline_interrupt` belongs to the thread that reads lines.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/// One line editor on stdin and stdout, with its history and its wake pipe.
typedef struct editline editline;

/// What the editor tells its owner while `editline_read` runs, on the reading thread.
typedef struct {
    /// Handed back as the first argument of each function.
    void *context;
    /// Tab was pressed: look at `editline_text`, then call `editline_replace` or `editline_print_above`.
    void (*complete)(void *context);
    /// `editline_wake` was called: print what waits.
    void (*woken)(void *context);
    /// Writes into `room` (`size` bytes, empty text at first) a faint ASCII hint to show behind `text`, at whose end the
    /// cursor stands.
    void (*hint)(void *context, const char *text, char *room, size_t size);
    /// The same for what may follow `text` and is taken by Right or End; shown where there is no hint.
    void (*suggestion)(void *context, const char *text, char *room, size_t size);
    /// Writes into `room` (`size` bytes, empty text at first) a style for each character of `text`: ' ' for none, 'c' for a
    /// command, 'r' for what is named, 'n' for a number, 'u' for what is not known.
    void (*style)(void *context, const char *text, char *room, size_t size);
    /// Enter was pressed: whether `text` (`length` bytes) still lacks something, so that it goes on in another row.
    bool (*is_open)(void *context, const char *text, size_t length);
} editline_callbacks;

/// How reading a line ended.
typedef enum {
    EDITLINE_LINE = 0,
    EDITLINE_END = 1,
    EDITLINE_INTERRUPTED = 2,
    EDITLINE_FAILED = 3,
} editline_outcome;

/// Makes an editor: `el_init`, key bindings and user functions are set here because `el_set` is variadic.
/// NULL when the terminal or memory refuses.
editline *editline_create(const char *program, editline_callbacks callbacks);

/// Restores the terminal and frees everything. NULL is allowed.
void editline_destroy(editline *editor);

/// Reads one line with `prompt`, with `text` already there. On `EDITLINE_LINE`, `*line` holds it without its final newline
/// until the next call; it may hold newlines. End of input, Ctrl-C and a broken terminal are told apart, as `el_gets` does
/// not. After a line the terminal neither echoes nor edits: what is typed while a command runs waits for the next read.
editline_outcome editline_read(
    editline *editor,
    const char *prompt,
    const char *text,
    const char **line,
    size_t *length
);

/// Draws the prompt anew with another text, while a line is edited.
void editline_set_prompt(editline *editor, const char *prompt);

/// The text being edited and the cursor in it, both in bytes; not NUL-terminated, valid until the next edit.
const char *editline_text(editline *editor, size_t *length, size_t *cursor);

/// Deletes `characters` (Unicode scalars) before the cursor and inserts `text` there: a completion.
void editline_replace(editline *editor, int characters, const char *text);

/// Prints whole lines above the prompt and draws the prompt again: libedit does not know that others print.
void editline_print_above(editline *editor, const char *text, size_t length);

/// Makes the reading thread call `woken`. Any thread, any time; several wakes may become one.
void editline_wake(editline *editor);

/// Behaves as if Ctrl-C were typed at the prompt. Any thread; for a SIGINT sent by another process.
void editline_interrupt(editline *editor);

/// Appends one entry to the history: `history` is variadic. Neighbouring equal entries become one.
void editline_history_add(editline *editor, const char *line);

/// The program was stopped and goes on: the terminal is taken again. Any thread.
void editline_resumed(editline *editor);

/// Notes how the terminal is, to which SIGTERM and SIGHUP bring it back; `editline_create` calls it.
void editline_terminal_begin(void);

/// Whether the terminal marks pastes now.
void editline_terminal_brackets(int on);

/// Neither echo nor line editing, while a command runs; Ctrl-C is a signal still and loses nothing that was typed.
void editline_terminal_quiet(void);

/// As it was at the beginning: for another program on this terminal, and before the end. Any thread.
void editline_terminal_restore(void);
