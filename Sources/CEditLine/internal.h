// What the files of this module share.
#pragma once

#include "CEditLine.h"

#include <histedit.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <wchar.h>

/// Keys that a terminal sends as several characters, as one that nobody can type: a C1 control each.
enum {
    key_code_up = 0x80,
    key_code_down,
    key_code_right,
    key_code_left,
    key_code_home,
    key_code_end,
    key_code_delete,
    key_code_word_right,
    key_code_word_left,
    key_code_previous,
    key_code_next,
    key_code_search,
    key_code_newline,
    key_code_paste,
    key_code_nothing,
};

struct editline {
    EditLine *el;
    History *history;
    editline_callbacks callbacks;
    char *prompt;
    int prompt_width;
    int wake_read, wake_write;
    struct winsize size;
    atomic_bool interrupt_asked, resumed;
    bool interrupted, capable, coloured, hinted, is_vi;
    /// How many steps up in the history the text stands.
    int depth;
    /// A character that was read too far; 0 for none.
    wchar_t unread;
    /// Keys that come before what is typed next.
    wchar_t queue[32];
    unsigned queued, taken;
    /// What `key_code_paste` inserts.
    wchar_t *paste;
};

editline *editline_owner(EditLine *el);
int editline_read_character(EditLine *el, wchar_t *character);
void editline_bind_keys(editline *editor);
void editline_stash_text(editline *editor, const char *text);
void editline_notice_size(editline *editor);
void editline_paint(editline *editor, bool plain);
void editline_draw_hint(editline *editor);
void editline_go_to_end(editline *editor);
void editline_erase_hint(editline *editor);
bool editline_suggestion(editline *editor, char *room, size_t size);
void editline_bracket_pastes(editline *editor, bool on);
