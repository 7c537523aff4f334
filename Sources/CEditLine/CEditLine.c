#define _GNU_SOURCE
#include "CEditLine.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { history_entries_max = 2000, paste_characters_max = 1 << 20 };

struct editline {
    EditLine *el;
    History *history;
    editline_callbacks callbacks;
    const char *prompt;
    int wake_read, wake_write;
    struct winsize size;
    atomic_bool interrupt_asked;
    bool interrupted, capable, hinted;
};

static editline *owner(EditLine *el) {
    void *data = NULL;
    el_get(el, EL_CLIENTDATA, &data);
    return data;
}

// MARK: the screen

/// The row of the cursor below the first row of the prompt, from the text alone: libedit keeps its own count private.
static int cursor_row(editline *editor) {
    const LineInfoW *line = el_wline(editor->el);
    int columns = editor->size.ws_col > 0 ? editor->size.ws_col : 80;
    int row = 0, column = (int)strlen(editor->prompt);
    for (const wchar_t *at = line->buffer; at < line->cursor; at++) {
        if (*at == L'\n') {
            row++, column = 0;
            continue;
        }
        int width = wcwidth(*at);
        if (width < 0) width = 2;
        if (column + width > columns) row++, column = 0;
        column += width;
        if (column == columns) row++, column = 0;
    }
    return row;
}

static void erase_hint(editline *editor) {
    if (!editor->hinted) return;
    editor->hinted = false;
    fputs("\033[K", stdout);
    fflush(stdout);
}

/// Draws the hint behind the text when the cursor stands at its end and the hint fits into the row.
static void draw_hint(editline *editor) {
    if (!editor->capable || editor->callbacks.hint == NULL) return;
    const LineInfo *line = el_line(editor->el);
    if (line->cursor != line->lastchar || line->cursor == line->buffer) return;
    size_t length = (size_t)(line->lastchar - line->buffer);
    size_t columns = editor->size.ws_col > 0 ? editor->size.ws_col : 80;
    char text[512];
    if (length >= sizeof text || strlen(editor->prompt) + length + 2 > columns) return;
    memcpy(text, line->buffer, length);
    text[length] = '\0';
    char hint[256] = "";
    editor->callbacks.hint(editor->callbacks.context, text, hint, sizeof hint);
    if (*hint == '\0') return;
    int room = (int)(columns - strlen(editor->prompt) - length - 1);
    int shown = (int)strlen(hint) < room ? (int)strlen(hint) : room;
    fprintf(stdout, "\033[2m%.*s\033[0m\033[%dD", shown, hint, shown);
    fflush(stdout);
    editor->hinted = true;
}

/// Tells libedit when the window has another size; it would ask itself only under EL_SIGNAL.
static void notice_size(editline *editor) {
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
        int row = cursor_row(editor);
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

void editline_replace(editline *editor, int characters, const char *text) {
    erase_prompt(editor);
    if (characters > 0) el_deletestr(editor->el, characters);
    if (*text != '\0') el_insertstr(editor->el, text);
    fflush(stdout);
    el_set(editor->el, EL_REFRESH);
}

// MARK: reading characters

/// Waits for a key or a wake. False when stdin is gone.
static bool await_key(editline *editor) {
    for (;;) {
        struct pollfd sources[2] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = editor->wake_read, .events = POLLIN},
        };
        if (poll(sources, 2, -1) < 0) {
            if (errno == EINTR) continue;
            return false;
        }
        if (sources[1].revents != 0) {
            char drained[64];
            while (read(editor->wake_read, drained, sizeof drained) > 0) {}
            erase_hint(editor);
            notice_size(editor);
            if (atomic_load(&editor->interrupt_asked)) return true;
            editor->callbacks.woken(editor->callbacks.context);
        }
        if (sources[0].revents != 0) return true;
    }
}

/// libedit's way to get one character: ours also listens to the wake pipe, which its own cannot.
static int read_character(EditLine *el, wchar_t *character) {
    editline *editor = owner(el);
    draw_hint(editor);
    if (!await_key(editor)) return -1;
    erase_hint(editor);
    if (atomic_exchange(&editor->interrupt_asked, false)) {
        *character = L'\x03';
        return 1;
    }
    mbstate_t state = {0};
    for (;;) {
        char byte;
        ssize_t count = read(STDIN_FILENO, &byte, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return (int)count;
        size_t used = mbrtowc(character, &byte, 1, &state);
        if (used == (size_t)-2) continue;
        if (used == (size_t)-1) {
            state = (mbstate_t){0};
            continue;
        }
        return 1;
    }
}

// MARK: keys

static char *prompt_text(EditLine *el) { return (char *)owner(el)->prompt; }

static unsigned char key_complete(EditLine *el, [[maybe_unused]] int key) {
    editline *editor = owner(el);
    editor->callbacks.complete(editor->callbacks.context);
    return CC_REFRESH;
}

/// Ctrl-C is a key here, not a signal: it drops the line and nothing else.
static unsigned char key_interrupt(EditLine *el, [[maybe_unused]] int key) {
    owner(el)->interrupted = true;
    return CC_EOF;
}

/// Ctrl-Z: the terminal is given back in order before we stop, and taken again after.
static unsigned char key_suspend(EditLine *el, [[maybe_unused]] int key) {
    el_set(el, EL_PREP_TERM, 0);
    raise(SIGTSTP);
    el_set(el, EL_PREP_TERM, 1);
    return CC_REDISPLAY;
}

/// Bracketed paste: the text is inserted, newlines too, and waits for Enter; nothing pasted runs by itself.
static unsigned char key_paste(EditLine *el, [[maybe_unused]] int key) {
    static const wchar_t end[] = L"\033[201~";
    const size_t end_length = sizeof end / sizeof *end - 1;
    size_t length = 0, capacity = 256;
    wchar_t *text = malloc(capacity * sizeof *text);
    wchar_t character;
    while (text != NULL && el_wgetc(el, &character) == 1) {
        if (length + 1 >= capacity) {
            wchar_t *larger = capacity < paste_characters_max ? realloc(text, capacity * 2 * sizeof *text) : NULL;
            if (larger == NULL) break;
            text = larger, capacity *= 2;
        }
        text[length++] = character == L'\r' ? L'\n' : character;
        if (length >= end_length && wmemcmp(text + length - end_length, end, end_length) == 0) {
            length -= end_length;
            break;
        }
    }
    if (text == NULL) return CC_ERROR;
    size_t kept = 0;
    for (size_t at = 0; at < length; at++) {
        wchar_t each = text[at] == L'\t' ? L' ' : text[at];
        if (each == L'\n' || (each >= L' ' && each != L'\x7f')) text[kept++] = each;
    }
    while (kept > 0 && text[kept - 1] == L'\n') kept--;
    text[kept] = L'\0';
    if (kept > 0) el_winsertstr(el, text);
    free(text);
    return CC_REFRESH;
}

static void bind_keys(EditLine *el) {
    el_set(el, EL_ADDFN, "pricing-complete", "complete the word", key_complete);
    el_set(el, EL_ADDFN, "pricing-interrupt", "drop the line", key_interrupt);
    el_set(el, EL_ADDFN, "pricing-paste", "insert pasted text", key_paste);
    el_set(el, EL_ADDFN, "pricing-suspend", "stop the program", key_suspend);
    static const char *const keys[][2] = {
        {"^I", "pricing-complete"},
        {"^C", "pricing-interrupt"},
        {"^Z", "pricing-suspend"},
        {"\\e[200~", "pricing-paste"},
        {"^R", "em-inc-search-prev"},
        {"\\e[3~", "ed-delete-next-char"},
        {"\\e[H", "ed-move-to-beg"},
        {"\\e[F", "ed-move-to-end"},
        {"\\e[1;5C", "em-next-word"},
        {"\\e[1;5D", "ed-prev-word"},
    };
    for (size_t at = 0; at < sizeof keys / sizeof *keys; at++) {
        el_set(el, EL_BIND, keys[at][0], keys[at][1], NULL);
    }
}

// MARK: life

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
    editor->callbacks = callbacks;
    editor->prompt = "";
    editor->wake_read = pipe_ends[0], editor->wake_write = pipe_ends[1];
    editor->history = history_init();
    editor->el = el_init(program, stdin, stdout, stderr);
    if (editor->history == NULL || editor->el == NULL) {
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
    el_set(el, EL_GETCFN, read_character);
    el_source(el, NULL);
    el_set(el, EL_SETTY, "-d", "-isig", NULL);
    bind_keys(el);
    notice_size(editor);
    return editor;
}

void editline_destroy(editline *editor) {
    if (editor == NULL) return;
    if (editor->el != NULL) el_end(editor->el);
    if (editor->history != NULL) history_end(editor->history);
    close(editor->wake_read);
    close(editor->wake_write);
    free(editor);
}

editline_outcome editline_read(editline *editor, const char *prompt, const char **line, size_t *length) {
    editor->prompt = prompt;
    editor->interrupted = false;
    editor->hinted = false;
    notice_size(editor);
    if (editor->capable) fputs("\033[?2004h", stdout);
    // libedit shows the prompt before it makes the terminal raw: a Ctrl-D typed in between would be lost.
    el_set(editor->el, EL_PREP_TERM, 1);
    int count = 0;
    const char *text = el_gets(editor->el, &count);
    if (editor->capable) fputs("\033[?2004l", stdout);
    if (editor->interrupted) fputs("^C\n", stdout);
    if (text == NULL && !editor->interrupted) fputc('\n', stdout);
    fflush(stdout);
    editor->prompt = "";
    if (editor->interrupted) return EDITLINE_INTERRUPTED;
    if (text == NULL || count <= 0) return count < 0 ? EDITLINE_FAILED : EDITLINE_END;
    *line = text;
    *length = (size_t)count;
    if (text[count - 1] == '\n') *length -= 1;
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

// MARK: history

void editline_history_add(editline *editor, const char *line) {
    HistEvent event;
    history(editor->history, &event, H_ENTER, line);
}

int editline_history_load(editline *editor, const char *path) {
    HistEvent event;
    return history(editor->history, &event, H_LOAD, path);
}

int editline_history_save(editline *editor, const char *path) {
    HistEvent event;
    return history(editor->history, &event, H_SAVE, path);
}
