#define _GNU_SOURCE
#include "internal.h"

#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { history_entries_max = 2000, text_bytes_max = 512 };

editline *editline_owner(EditLine *el) {
    void *data = NULL;
    el_get(el, EL_CLIENTDATA, &data);
    return data;
}

// MARK: the screen

typedef struct {
    /// Below the first row of the prompt.
    int row;
    int column;
} place;

static int screen_columns(const editline *editor) { return editor->size.ws_col > 0 ? editor->size.ws_col : 80; }

/// Where the text begins, and where a character is that follows `at`. From the text alone: libedit keeps its own count
/// private.
static place text_start(const editline *editor) { return (place){0, editor->prompt_width}; }

static place step(const editline *editor, place at, wchar_t character) {
    if (character == L'\n') return (place){at.row + 1, 0};
    int columns = screen_columns(editor), width = wcwidth(character);
    if (width < 0) width = 2;
    if (at.column + width > columns) at = (place){at.row + 1, 0};
    at.column += width;
    return at.column == columns ? (place){at.row + 1, 0} : at;
}

static place place_of(editline *editor, const wchar_t *wanted) {
    place at = text_start(editor);
    for (const wchar_t *each = el_wline(editor->el)->buffer; each < wanted; each++) at = step(editor, at, *each);
    return at;
}

static place cursor_place(editline *editor) { return place_of(editor, el_wline(editor->el)->cursor); }

void editline_erase_hint(editline *editor) {
    if (!editor->hinted) return;
    editor->hinted = false;
    fputs("\033[K", stdout);
    fflush(stdout);
}

/// Copies the text into `text` when the cursor stands at its end; its length, or 0.
static size_t text_at_end(editline *editor, char *text, size_t size) {
    const LineInfo *line = el_line(editor->el);
    size_t length = (size_t)(line->lastchar - line->buffer);
    if (line->cursor != line->lastchar || length >= size) return 0;
    memcpy(text, line->buffer, length);
    text[length] = '\0';
    return length;
}

/// Without colours a suggestion would look like what was typed.
bool editline_suggestion(editline *editor, char *room, size_t size) {
    char text[text_bytes_max];
    *room = '\0';
    if (!editor->capable || !editor->coloured || editor->callbacks.suggestion == NULL) return false;
    if (text_at_end(editor, text, sizeof text) == 0) return false;
    editor->callbacks.suggestion(editor->callbacks.context, text, room, size);
    return *room != '\0';
}

/// Draws the hint behind the text when the cursor stands at its end and the hint fits into the row: faint, and where no
/// colours are wanted as the comment that it then is.
void editline_draw_hint(editline *editor) {
    if (!editor->capable || editor->callbacks.hint == NULL) return;
    char text[text_bytes_max];
    size_t length = text_at_end(editor, text, sizeof text);
    size_t columns = editor->size.ws_col > 0 ? editor->size.ws_col : 80;
    size_t taken = (size_t)editor->prompt_width + length + 2;
    if (length == 0 || taken > columns) return;
    char hint[256] = "";
    editor->callbacks.hint(editor->callbacks.context, text, hint, sizeof hint);
    if (*hint == '\0' && !editline_suggestion(editor, hint, sizeof hint)) return;
    const char *mark = editor->coloured ? "" : text[length - 1] == ' ' ? "# " : " #";
    int room = (int)(columns - taken + 1) - (int)strlen(mark);
    if (room <= 0) return;
    int shown = (int)strlen(hint) < room ? (int)strlen(hint) : room;
    const char *form = editor->coloured ? "\033[2m%s%.*s\033[0m\033[%dD" : "%s%.*s\033[%dD";
    fprintf(stdout, form, mark, shown, hint, shown + (int)strlen(mark));
    fflush(stdout);
    editor->hinted = true;
}

/// Whether libedit reads something else than the line: what is searched for, or a command, stands in the buffer then.
static bool is_elsewhere(const LineInfoW *line) {
    if (line->buffer < line->lastchar && *line->buffer == L'\n') return true;
    for (const wchar_t *at = line->lastchar; at > line->buffer; at--) {
        if (at[-1] != L'\n') continue;
        return line->lastchar - at >= 4 && (wcsncmp(at, L"bck", 3) == 0 || wcsncmp(at, L"fwd", 3) == 0)
            && (at[3] == L':' || at[3] == L'?');
    }
    return false;
}

static const char *style_code(char style) {
    switch (style) {
    case 'c': return "\033[36m";
    case 'r': return "\033[32m";
    case 'n': return "\033[35m";
    case 'u': return "\033[31m";
    default: return "";
    }
}

/// The styles of the text's characters, ' ' each where there are none. False where the text cannot be painted: a character
/// of which it is not known how many columns it takes, or more than has room.
static bool text_styles(editline *editor, const LineInfoW *line, bool plain, char *styles, size_t size) {
    size_t length = (size_t)(line->lastchar - line->buffer);
    if (length == 0 || length >= size || is_elsewhere(line)) return false;
    for (const wchar_t *at = line->buffer; at < line->lastchar; at++) {
        if (*at != L'\n' && wcwidth(*at) <= 0) return false;
    }
    if (place_of(editor, line->lastchar).row >= (int)editor->size.ws_row) return false;
    *styles = '\0';
    const LineInfo *narrow = el_line(editor->el);
    size_t bytes = (size_t)(narrow->lastchar - narrow->buffer);
    char *text = plain ? NULL : strndup(narrow->buffer, bytes);
    if (text != NULL) editor->callbacks.style(editor->callbacks.context, text, styles, size);
    free(text);
    if (strlen(styles) != length) memset(styles, ' ', length);
    return true;
}

static void move_vertically(FILE *out, int rows) {
    if (rows != 0) fprintf(out, "\033[%d%c", rows < 0 ? -rows : rows, rows < 0 ? 'A' : 'B');
}

static void move_to_column(FILE *out, int column) {
    fputc('\r', out);
    if (column > 0) fprintf(out, "\033[%dC", column);
}

/// Writes the text over itself in colours, and goes back to the cursor. libedit knows of no colours and takes none off: what
/// it draws anew is plain until this comes again, when nothing more is typed at once.
void editline_paint(editline *editor, bool plain) {
    if (!editor->capable || !editor->coloured || editor->callbacks.style == NULL) return;
    char styles[text_bytes_max];
    const LineInfoW *line = el_wline(editor->el);
    if (!text_styles(editor, line, plain, styles, sizeof styles)) return;
    // In one write: no half of it is ever seen.
    char *written = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&written, &length);
    if (out == NULL) return;
    place cursor = cursor_place(editor), next = text_start(editor);
    move_vertically(out, -cursor.row);
    move_to_column(out, next.column);
    int columns = screen_columns(editor), row = 0;
    char style = ' ';
    for (const wchar_t *at = line->buffer; at < line->lastchar; at++) {
        if (*at != L'\n') {
            place here = next.column + wcwidth(*at) > columns ? (place){next.row + 1, 0} : next;
            // The row below is gone to when something stands there: at the edge the terminal may be in either.
            if (here.row > row) {
                fputc('\r', out);
                move_vertically(out, here.row - row);
                row = here.row;
            }
            if (styles[at - line->buffer] != style) {
                if (style != ' ') fputs("\033[0m", out);
                style = styles[at - line->buffer];
                fputs(style_code(style), out);
            }
            char bytes[MB_LEN_MAX];
            int count = wctomb(bytes, *at);
            if (count > 0) fwrite(bytes, 1, (size_t)count, out);
        }
        next = step(editor, next, *at);
    }
    if (style != ' ') fputs("\033[0m", out);
    fputc('\r', out);
    move_vertically(out, cursor.row - row);
    move_to_column(out, cursor.column);
    if (fclose(out) == 0) {
        fwrite(written, 1, length, stdout);
        fflush(stdout);
    }
    free(written);
}

/// Below a text of several rows, whose rest would be written over.
void editline_go_to_end(editline *editor) {
    if (!editor->capable) return;
    place end = place_of(editor, el_wline(editor->el)->lastchar);
    move_vertically(stdout, end.row - cursor_place(editor).row);
    move_to_column(stdout, end.column);
}

/// Tells libedit when the window has another size; it would ask itself only under EL_SIGNAL.
void editline_notice_size(editline *editor) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return;
    bool changed = size.ws_col != editor->size.ws_col || size.ws_row != editor->size.ws_row;
    editor->size = size;
    if (changed) el_resize(editor->el);
}

/// Takes prompt and text off the screen, so that EL_REFRESH, which believes the cursor at a row's start, is right.
static void erase_prompt(editline *editor) {
    editor->hinted = false;
    if (editor->capable) {
        int row = cursor_place(editor).row;
        if (row > 0) fprintf(stdout, "\033[%dA", row);
        fputs("\r\033[J", stdout);
    } else {
        fputs("\n", stdout);
    }
}

void editline_print_above(editline *editor, const char *text, size_t length) {
    erase_prompt(editor);
    fwrite(text, 1, length, stdout);
    if (length > 0 && text[length - 1] != '\n') fputc('\n', stdout);
    fflush(stdout);
    el_set(editor->el, EL_REFRESH);
}

static void keep_prompt(editline *editor, const char *prompt) {
    char *copy = strdup(prompt);
    if (copy == NULL) return;
    free(editor->prompt);
    editor->prompt = copy;
    wchar_t wide[256];
    size_t length = mbstowcs(wide, prompt, sizeof wide / sizeof *wide - 1);
    int width = length == (size_t)-1 ? -1 : wcswidth(wide, length);
    editor->prompt_width = width < 0 ? (int)strlen(prompt) : width;
}

void editline_set_prompt(editline *editor, const char *prompt) {
    // A terminal that cannot go back would get a row for each change.
    if (!editor->capable || strcmp(prompt, editor->prompt) == 0) return;
    erase_prompt(editor);
    keep_prompt(editor, prompt);
    fflush(stdout);
    el_set(editor->el, EL_REFRESH);
}

void editline_replace(editline *editor, int characters, const char *text) {
    erase_prompt(editor);
    if (characters > 0) el_deletestr(editor->el, characters);
    if (*text != '\0') el_insertstr(editor->el, text);
    fflush(stdout);
    el_set(editor->el, EL_REFRESH);
}

// MARK: life

static char *prompt_text(EditLine *el) { return editline_owner(el)->prompt; }

void editline_bracket_pastes(editline *editor, bool on) {
    if (!editor->capable) return;
    fputs(on ? "\033[?2004h" : "\033[?2004l", stdout);
    fflush(stdout);
    editline_terminal_brackets(on);
}

/// libedit decodes keys by the locale; without a UTF-8 one every accented letter would be lost.
static void choose_locale(void) {
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) setlocale(LC_CTYPE, "C.UTF-8");
}

editline *editline_create(const char *program, editline_callbacks callbacks) {
    choose_locale();
    editline *editor = calloc(1, sizeof *editor);
    int pipe_ends[2] = {-1, -1};
    if (editor == NULL || pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        free(editor);
        return NULL;
    }
    const char *terminal = getenv("TERM");
    editor->capable = terminal != NULL && *terminal != '\0' && strcmp(terminal, "dumb") != 0;
    const char *plain = getenv("NO_COLOR");
    editor->coloured = plain == NULL || *plain == '\0';
    editor->callbacks = callbacks;
    keep_prompt(editor, "");
    editor->wake_read = pipe_ends[0], editor->wake_write = pipe_ends[1];
    editor->history = history_init();
    editline_terminal_begin();
    editor->el = el_init(program, stdin, stdout, stderr);
    if (editor->history == NULL || editor->el == NULL || editor->prompt == NULL) {
        editline_destroy(editor);
        return NULL;
    }
    HistEvent event;
    history(editor->history, &event, H_SETSIZE, history_entries_max);
    history(editor->history, &event, H_SETUNIQUE, 1);
    EditLine *el = editor->el;
    el_set(el, EL_CLIENTDATA, editor);
    el_set(el, EL_PROMPT, prompt_text);
    el_set(el, EL_HIST, history, editor->history);
    el_set(el, EL_EDITOR, "emacs");
    el_set(el, EL_GETCFN, editline_read_character);
    el_source(el, NULL);
    el_set(el, EL_SETTY, "-d", "-isig", NULL);
    editline_bind_keys(editor);
    editline_notice_size(editor);
    return editor;
}

void editline_destroy(editline *editor) {
    if (editor == NULL) return;
    if (editor->el != NULL) el_end(editor->el);
    if (editor->history != NULL) history_end(editor->history);
    editline_terminal_restore();
    close(editor->wake_read);
    close(editor->wake_write);
    free(editor->prompt);
    free(editor->paste);
    free(editor);
}

editline_outcome editline_read(
    editline *editor,
    const char *prompt,
    const char *text,
    const char **line,
    size_t *length
) {
    editline_terminal_restore();
    keep_prompt(editor, prompt);
    editor->interrupted = false;
    editor->hinted = false;
    editor->depth = 0;
    editline_notice_size(editor);
    editline_bracket_pastes(editor, true);
    if (*text != '\0') editline_stash_text(editor, text);
    // libedit shows the prompt before it makes the terminal raw: a Ctrl-D typed in between would be lost.
    el_set(editor->el, EL_PREP_TERM, 1);
    int count = 0;
    const char *read = el_gets(editor->el, &count);
    editline_bracket_pastes(editor, false);
    if (editor->interrupted) fputs("^C\n", stdout);
    if (read == NULL && !editor->interrupted) fputc('\n', stdout);
    fflush(stdout);
    if (editor->interrupted) return EDITLINE_INTERRUPTED;
    if (read == NULL || count <= 0) return count < 0 ? EDITLINE_FAILED : EDITLINE_END;
    *line = read;
    *length = (size_t)count;
    if (read[count - 1] == '\n') *length -= 1;
    editline_terminal_quiet();
    return EDITLINE_LINE;
}

const char *editline_text(editline *editor, size_t *length, size_t *cursor) {
    const LineInfo *line = el_line(editor->el);
    *length = (size_t)(line->lastchar - line->buffer);
    *cursor = (size_t)(line->cursor - line->buffer);
    return line->buffer;
}

void editline_wake(editline *editor) {
    // A full pipe already holds a wake, so a failed write loses nothing.
    ssize_t written = write(editor->wake_write, "!", 1);
    (void)written;
}

void editline_interrupt(editline *editor) {
    atomic_store(&editor->interrupt_asked, true);
    editline_wake(editor);
}

void editline_resumed(editline *editor) {
    atomic_store(&editor->resumed, true);
    editline_wake(editor);
}

// MARK: history

void editline_history_add(editline *editor, const char *line) {
    HistEvent event;
    history(editor->history, &event, H_ENTER, line);
}
