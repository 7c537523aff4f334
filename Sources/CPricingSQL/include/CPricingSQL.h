#pragma once

/// One file of sql/, carried inside the binary.
struct pricing_script {
    const char *name;
    const unsigned char *bytes;
    unsigned long length;
};

/// How many scripts there are.
unsigned long pricing_script_count(void);

/// The script at an index below the count, in the order of their numbers.
const struct pricing_script *pricing_script_at(unsigned long index);
