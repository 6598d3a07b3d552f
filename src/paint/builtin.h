// The files in looks/, embedded in the program (tools/embed.py). Threads: any; read-only, no state.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lq_builtin {
    const char *path;     // "shades.json", "patterns/dots.png"; NULL ends the table
    const uint8_t *bytes;
    size_t len;
};

extern const struct lq_builtin lq_builtins[];
