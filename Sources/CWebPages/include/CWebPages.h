#pragma once

/// One file that browsers load, carried inside the binary.
struct web_file {
    const char *name;
    const unsigned char *bytes;
    unsigned long length;
};

/// How many files there are.
unsigned long web_file_count(void);

/// The file at an index below the count.
const struct web_file *web_file_at(unsigned long index);
