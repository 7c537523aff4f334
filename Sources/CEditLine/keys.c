#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { paste_characters_max = 1 << 20, sequence_characters_max = 12, escape_wait_ms = 50 };

static const wchar_t escape = L'\x1b';

// MARK: reading characters

static void enqueue(editline *editor, wchar_t character) {
    if (editor->queued < sizeof editor->queue / sizeof *editor->queue) editor->queue[editor->queued++] = character;
}

/// Waits for a key or a wake. False when stdin is gone.
static bool await_key(editline *editor) {
    if (editor->unread != 0) return true;
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
            editline_erase_hint(editor);
            editline_notice_size(editor);
            if (atomic_load(&editor->interrupt_asked)) return true;
            if (atomic_exchange(&editor->resumed, false)) {
                el_set(editor->el, EL_PREP_TERM, 1);
                editline_bracket_pastes(editor, true);
                editline_print_above(editor, "", 0);
            }
            editor->callbacks.woken(editor->callbacks.context);
            editline_paint(editor, false);
            editline_draw_hint(editor);
        }
        if (sources[0].revents != 0) return true;
    }
}

/// Whether a character is there or comes within the time in which a terminal sends the rest of a key.
static bool comes_soon(editline *editor, int milliseconds) {
    if (editor->unread != 0) return true;
    struct pollfd source = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&source, 1, milliseconds) == 1;
}

/// One character of the terminal, decoded by the locale; what cannot be decoded is skipped.
static int read_wide(editline *editor, wchar_t *character) {
    if (editor->unread != 0) {
        *character = editor->unread;
        editor->unread = 0;
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

/// Reads up to the end of a bracketed paste and keeps what may stand in a line. Newlines are kept: nothing pasted runs.
static void read_paste(editline *editor) {
    static const wchar_t end[] = L"\033[201~";
    const size_t end_length = sizeof end / sizeof *end - 1;
    size_t length = 0, capacity = 256;
    wchar_t *text = malloc(capacity * sizeof *text);
    wchar_t character;
    while (text != NULL && read_wide(editor, &character) == 1) {
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
    if (text == NULL) return;
    size_t kept = 0;
    for (size_t at = 0; at < length; at++) {
        wchar_t each = text[at] == L'\t' ? L' ' : text[at];
        if (each == L'\n' || (each >= L' ' && (each < L'\x7f' || each > L'\x9f'))) text[kept++] = each;
    }
    while (kept > 0 && text[kept - 1] == L'\n') kept--;
    text[kept] = L'\0';
    free(editor->paste);
    editor->paste = text;
}

/// The key behind an ESC that was read. An ESC after which nothing comes soon was typed, and stands for itself.
static wchar_t decode_escape(editline *editor) {
    static const struct {
        const wchar_t *sequence;
        wchar_t code;
    } known[] = {
        {L"[A", key_code_up},      {L"OA", key_code_up},      {L"[B", key_code_down},       {L"OB", key_code_down},
        {L"[C", key_code_right},   {L"OC", key_code_right},   {L"[D", key_code_left},       {L"OD", key_code_left},
        {L"[H", key_code_home},    {L"OH", key_code_home},    {L"[1~", key_code_home},      {L"[7~", key_code_home},
        {L"[F", key_code_end},     {L"OF", key_code_end},     {L"[4~", key_code_end},       {L"[8~", key_code_end},
        {L"[3~", key_code_delete}, {L"[1;5C", key_code_word_right},                         {L"[1;5D", key_code_word_left},
        {L"[200~", key_code_paste},
    };
    wchar_t sequence[sequence_characters_max + 1];
    size_t length = 0;
    wchar_t next;
    while (length < sequence_characters_max && comes_soon(editor, escape_wait_ms) && read_wide(editor, &next) == 1) {
        if (length == 0 && next != L'[' && next != L'O') {
            editor->unread = next;
            return escape;
        }
        sequence[length++] = next;
        if (length > 1 && next >= L'@' && next <= L'~') break;
    }
    sequence[length] = L'\0';
    for (size_t at = 0; at < sizeof known / sizeof *known; at++) {
        if (wcscmp(sequence, known[at].sequence) != 0) continue;
        if (known[at].code == key_code_paste) read_paste(editor);
        return known[at].code;
    }
    // A key that vi does not know would be an ESC and commands.
    if (editor->is_vi && length > 1) return key_code_nothing;
    for (size_t at = 0; at < length; at++) enqueue(editor, sequence[at]);
    return escape;
}

static bool is_open(editline *editor) {
    if (editor->callbacks.is_open == NULL) return false;
    size_t length, cursor;
    const char *text = editline_text(editor, &length, &cursor);
    return editor->callbacks.is_open(editor->callbacks.context, text, length);
}

/// libedit's way to get one character: ours also listens to the wake pipe, and knows the keys of several characters,
/// which libedit's own tables would take from vi: there ESC is a key.
int editline_read_character(EditLine *el, wchar_t *character) {
    editline *editor = editline_owner(el);
    if (editor->taken < editor->queued) {
        *character = editor->queue[editor->taken++];
        return 1;
    }
    editor->queued = editor->taken = 0;
    // What is typed on at once is neither coloured nor hinted at in between.
    if (!comes_soon(editor, 0)) {
        editline_paint(editor, false);
        editline_draw_hint(editor);
    }
    if (!await_key(editor)) return -1;
    editline_erase_hint(editor);
    if (atomic_exchange(&editor->interrupt_asked, false)) {
        *character = L'\x03';
        return 1;
    }
    int count = read_wide(editor, character);
    if (count != 1) return count;
    if (*character == escape) {
        *character = decode_escape(editor);
    } else if (*character >= key_code_up && *character <= key_code_nothing) {
        *character = key_code_nothing;
    } else if ((*character == L'\r' || *character == L'\n') && is_open(editor)) {
        *character = key_code_newline;
    }
    return 1;
}

void editline_stash_text(editline *editor, const char *text) {
    size_t length = mbstowcs(NULL, text, 0);
    if (length == (size_t)-1 || length == 0) return;
    wchar_t *wide = malloc((length + 1) * sizeof *wide);
    if (wide == NULL) return;
    mbstowcs(wide, text, length + 1);
    free(editor->paste);
    editor->paste = wide;
    enqueue(editor, key_code_paste);
}

// MARK: what keys do

static unsigned char key_complete(EditLine *el, [[maybe_unused]] int key) {
    editline *editor = editline_owner(el);
    editor->callbacks.complete(editor->callbacks.context);
    return CC_REFRESH;
}

/// Ctrl-C is a key here, not a signal: it drops the line and nothing else.
static unsigned char key_interrupt(EditLine *el, [[maybe_unused]] int key) {
    editline *editor = editline_owner(el);
    editor->interrupted = true;
    editline_go_to_end(editor);
    return CC_EOF;
}

/// Ctrl-Z: the terminal is given back in order before we stop, and taken again after. The signal is for this thread, which
/// has inherited a mask that blocks it.
static unsigned char key_suspend(EditLine *el, [[maybe_unused]] int key) {
    editline *editor = editline_owner(el);
    el_set(el, EL_PREP_TERM, 0);
    editline_bracket_pastes(editor, false);
    fputc('\n', stdout);
    fflush(stdout);
    sigset_t stop, before;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &stop, &before);
    raise(SIGTSTP);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    el_set(el, EL_PREP_TERM, 1);
    editline_bracket_pastes(editor, true);
    return CC_REDISPLAY;
}

static unsigned char key_paste(EditLine *el, [[maybe_unused]] int key) {
    editline *editor = editline_owner(el);
    if (editor->paste != NULL && *editor->paste != L'\0') el_winsertstr(el, editor->paste);
    free(editor->paste);
    editor->paste = NULL;
    return CC_REFRESH;
}

static unsigned char key_newline(EditLine *el, [[maybe_unused]] int key) {
    el_winsertstr(el, L"\n");
    return CC_REFRESH;
}

/// What is found stands in place of the text, in which libedit leaves the characters that are the same as they are: plain.
static unsigned char key_search(EditLine *el, [[maybe_unused]] int key) {
    editline *editor = editline_owner(el);
    editline_paint(editor, true);
    enqueue(editor, key_code_search);
    return CC_NORM;
}

static unsigned char key_nothing([[maybe_unused]] EditLine *el, [[maybe_unused]] int key) { return CC_NORM; }

static const wchar_t *row_start(const LineInfoW *line, const wchar_t *at) {
    while (at > line->buffer && at[-1] != L'\n') at--;
    return at;
}

static const wchar_t *row_end(const LineInfoW *line, const wchar_t *at) {
    while (at < line->lastchar && *at != L'\n') at++;
    return at;
}

/// To the same column of another row of the text, or its end.
static unsigned char move_to_row(EditLine *el, const LineInfoW *line, const wchar_t *start) {
    long column = line->cursor - row_start(line, line->cursor), length = row_end(line, start) - start;
    el_cursor(el, (int)(start + (column < length ? column : length) - line->cursor));
    return CC_REFRESH;
}

/// The row above of a text of several, else the entry before in the history.
static unsigned char key_up(EditLine *el, [[maybe_unused]] int key) {
    const LineInfoW *line = el_wline(el);
    const wchar_t *start = row_start(line, line->cursor);
    if (start > line->buffer) return move_to_row(el, line, row_start(line, start - 1));
    editline *editor = editline_owner(el);
    HistEvent event;
    if (history(editor->history, &event, H_GETSIZE) >= 0 && editor->depth < event.num) editor->depth++;
    enqueue(editor, key_code_previous);
    return CC_NORM;
}

static unsigned char key_down(EditLine *el, [[maybe_unused]] int key) {
    const LineInfoW *line = el_wline(el);
    const wchar_t *end = row_end(line, line->cursor);
    if (end < line->lastchar) return move_to_row(el, line, end + 1);
    editline *editor = editline_owner(el);
    // Below the newest entry libedit would put back what was typed before the first step up: of a text that was never
    // left, nothing.
    if (editor->depth == 0) return CC_NORM;
    editor->depth--;
    enqueue(editor, key_code_next);
    return CC_NORM;
}

static unsigned char key_home(EditLine *el, [[maybe_unused]] int key) {
    const LineInfoW *line = el_wline(el);
    el_cursor(el, (int)(row_start(line, line->cursor) - line->cursor));
    return CC_CURSOR;
}

/// Puts what is suggested behind the text; false where nothing is.
static bool take_suggestion(EditLine *el) {
    char suggestion[256];
    return editline_suggestion(editline_owner(el), suggestion, sizeof suggestion) && el_insertstr(el, suggestion) == 0;
}

static unsigned char key_right(EditLine *el, [[maybe_unused]] int key) {
    if (take_suggestion(el)) return CC_REFRESH;
    el_cursor(el, 1);
    return CC_CURSOR;
}

static unsigned char key_end(EditLine *el, [[maybe_unused]] int key) {
    if (take_suggestion(el)) return CC_REFRESH;
    const LineInfoW *line = el_wline(el);
    el_cursor(el, (int)(row_end(line, line->cursor) - line->cursor));
    return CC_CURSOR;
}

static void bind(editline *editor, const char *key, const char *command) {
    el_set(editor->el, EL_BIND, key, command, NULL);
    if (editor->is_vi) el_set(editor->el, EL_BIND, "-a", key, command, NULL);
}

void editline_bind_keys(editline *editor) {
    EditLine *el = editor->el;
    const char *kind = NULL;
    el_get(el, EL_EDITOR, &kind);
    editor->is_vi = kind != NULL && strcmp(kind, "vi") == 0;
    el_set(el, EL_ADDFN, "pricing-complete", "complete the word", key_complete);
    el_set(el, EL_ADDFN, "pricing-interrupt", "drop the line", key_interrupt);
    el_set(el, EL_ADDFN, "pricing-paste", "insert pasted text", key_paste);
    el_set(el, EL_ADDFN, "pricing-suspend", "stop the program", key_suspend);
    el_set(el, EL_ADDFN, "pricing-up", "the row above or the entry before", key_up);
    el_set(el, EL_ADDFN, "pricing-down", "the row below or the entry after", key_down);
    el_set(el, EL_ADDFN, "pricing-home", "the row's beginning", key_home);
    el_set(el, EL_ADDFN, "pricing-end", "the row's end", key_end);
    el_set(el, EL_ADDFN, "pricing-right", "a character on, or take what is suggested", key_right);
    el_set(el, EL_ADDFN, "pricing-newline", "go on in another row", key_newline);
    el_set(el, EL_ADDFN, "pricing-search", "search the history", key_search);
    el_set(el, EL_ADDFN, "pricing-nothing", "do nothing", key_nothing);
    static const struct {
        wchar_t code;
        const char *command;
    } codes[] = {
        {key_code_up, "pricing-up"},
        {key_code_down, "pricing-down"},
        {key_code_right, "pricing-right"},
        {key_code_left, "ed-prev-char"},
        {key_code_home, "pricing-home"},
        {key_code_end, "pricing-end"},
        {key_code_delete, "ed-delete-next-char"},
        {key_code_word_right, "em-next-word"},
        {key_code_word_left, "ed-prev-word"},
        {key_code_previous, "ed-prev-history"},
        {key_code_next, "ed-next-history"},
        {key_code_search, "em-inc-search-prev"},
        {key_code_newline, "pricing-newline"},
        {key_code_paste, "pricing-paste"},
        {key_code_nothing, "pricing-nothing"},
    };
    for (size_t at = 0; at < sizeof codes / sizeof *codes; at++) {
        char key[8];
        snprintf(key, sizeof key, "\\%03o", (unsigned)codes[at].code);
        bind(editor, key, codes[at].command);
    }
    bind(editor, "^C", "pricing-interrupt");
    bind(editor, "^Z", "pricing-suspend");
    el_set(el, EL_BIND, "^I", "pricing-complete", NULL);
    el_set(el, EL_BIND, "^R", "pricing-search", NULL);
    if (editor->is_vi) {
        el_set(el, EL_BIND, "-a", "k", "pricing-up", NULL);
        el_set(el, EL_BIND, "-a", "j", "pricing-down", NULL);
    } else {
        el_set(el, EL_BIND, "^P", "pricing-up", NULL);
        el_set(el, EL_BIND, "^N", "pricing-down", NULL);
        el_set(el, EL_BIND, "^A", "pricing-home", NULL);
        el_set(el, EL_BIND, "^E", "pricing-end", NULL);
    }
    // In vi's command mode libedit takes a second ESC for the beginning of an arrow key, and swallows what follows.
    if (editor->is_vi) el_set(el, EL_BIND, "-a", "\\e", "pricing-nothing", NULL);
}
