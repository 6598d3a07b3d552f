// The options that select what is painted, which several commands share.
// Threads: the main one. Owner: init/release by the command.
#pragma once

#include "cli/options.h"
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

// A part of a command; its input is a struct lq_cli_look set up by lq_cli_look_init.
extern const struct lq_cli_spec lq_cli_look_spec;

// Only --looks, for commands that paint what their clients request.
extern const struct lq_cli_spec lq_cli_looks_spec;

void lq_cli_look_init(struct lq_cli_look *look);
void lq_cli_look_release(struct lq_cli_look *look);
