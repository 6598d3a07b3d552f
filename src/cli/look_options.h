// The options that say what is painted, as an argp child.
// Threads: the main one. Owner: init/release by the command.
#pragma once

#include <argp.h>

#include "paint/catalogue.h"

struct lq_cli_look {
    struct lq_catalogue *catalogue; // opened when all options have been read
    struct lq_look look;            // the resulting look; borrows from the catalogue and the
                                    // pattern
    struct lq_pattern *pattern;     // --pattern FILE
    // The options as given; NULL: not given.
    const char *dir, *name, *color, *finish, *texture, *opacity, *pattern_name;
    int sheen;                      // -1: not given
};

// A child parser; its input is a struct lq_cli_look set up by lq_cli_look_init.
extern const struct argp lq_cli_look_argp;

// --looks alone, for commands that paint what others ask for.
extern const struct argp lq_cli_looks_argp;

void lq_cli_look_init(struct lq_cli_look *look);
void lq_cli_look_release(struct lq_cli_look *look);
