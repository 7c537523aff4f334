#define _GNU_SOURCE
#include "CEditLine.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/// How the terminal was when the program began. One program has one terminal.
static struct termios original;
static bool is_known;
static atomic_bool is_bracketing;

void editline_terminal_begin(void) { is_known = tcgetattr(STDIN_FILENO, &original) == 0; }

void editline_terminal_brackets(int on) { atomic_store(&is_bracketing, on != 0); }

void editline_terminal_quiet(void) {
    if (!is_known) return;
    struct termios quiet = original;
    quiet.c_lflag &= (tcflag_t) ~(ECHO | ICANON);
    quiet.c_lflag |= ISIG | NOFLSH;
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
}

void editline_terminal_restore(void) {
    if (is_known) tcsetattr(STDIN_FILENO, TCSADRAIN, &original);
}

void editline_terminal_die(int number) {
    editline_terminal_restore();
    static const char off[] = "\033[?2004l\n";
    if (atomic_load(&is_bracketing)) {
        ssize_t written = write(STDOUT_FILENO, off, sizeof off - 1);
        (void)written;
    }
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(number);
}
