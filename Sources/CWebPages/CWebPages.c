#include "CWebPages.h"

// A test compares this list with the folder.
static const unsigned char file_admin_css[] = {
#embed "admin.css"
};
static const unsigned char file_base_css[] = {
#embed "base.css"
};
static const unsigned char file_icon_svg[] = {
#embed "icon.svg"
};
static const unsigned char file_live_js[] = {
#embed "live.js"
};
static const unsigned char file_replay_js[] = {
#embed "replay.js"
};
static const unsigned char file_store_css[] = {
#embed "store.css"
};

#define FILE(name, bytes) {name, bytes, sizeof bytes}

static const struct web_file files[] = {
    FILE("admin.css", file_admin_css),
    FILE("base.css", file_base_css),
    FILE("icon.svg", file_icon_svg),
    FILE("live.js", file_live_js),
    FILE("replay.js", file_replay_js),
    FILE("store.css", file_store_css),
};

unsigned long web_file_count(void) {
    return sizeof files / sizeof files[0];
}

const struct web_file *web_file_at(unsigned long index) {
    return index < web_file_count() ? &files[index] : nullptr;
}
