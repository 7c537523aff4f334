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

/// Gives the terminal back and ends the program by this signal.
static void die(int number) {
    if (is_known) tcsetattr(STDIN_FILENO, TCSANOW, &original);
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

void editline_terminal_begin(void) {
    is_known = tcgetattr(STDIN_FILENO, &original) == 0;
    static const int deadly[] = {SIGTERM, SIGHUP};
    for (size_t at = 0; at < sizeof deadly / sizeof *deadly; at++) {
        // Under nohup it stays ignored.
        if (signal(deadly[at], die) == SIG_IGN) signal(deadly[at], SIG_IGN);
    }
}

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
