// The commands of `lacquer`: one file per command, and one table in main.c. --help and the manual
// are printed from the same option tables (options.h). Exit status: 0 done, 1 failed, 2 usage
// error. Results go to stdout, everything else to stderr.
// Threads: the main one.
// Owner: each command frees what it allocates.
#pragma once

#include "base/error.h"
#include "cli/options.h"

enum { LQ_EXIT_OK = 0, LQ_EXIT_FAILED = 1, LQ_EXIT_USAGE = 2 };

struct lq_command {
    const char *name;
    const char *summary; // one line for `lacquer --help` and the man page's heading
    int (*run)(int argc, char **argv); // argv[0] is "lacquer NAME"; returns the exit status
    struct lq_cli_spec line;
};

extern const struct lq_command lq_apply_command;
extern const struct lq_command lq_bench_command;
extern const struct lq_command lq_convert_command;
extern const struct lq_command lq_engines_command;
extern const struct lq_command lq_eval_command;
extern const struct lq_command lq_inspect_command;
extern const struct lq_command lq_looks_command;
extern const struct lq_command lq_looks_import_command;
extern const struct lq_command lq_quantize_command;
extern const struct lq_command lq_serve_command;
extern const struct lq_command lq_site_command;
extern const struct lq_command lq_triton_repo_command;
extern const struct lq_command lq_tune_command;

// Prints "lacquer: text" on stderr; returns LQ_EXIT_FAILED, or LQ_EXIT_USAGE for LQ_ERR_ARGUMENT.
int lq_cli_error(const struct lq_error *err);

// Prints the complete manual page in man(7) markup to stdout, from the table of commands. NULL ends
// the table.
void lq_cli_print_man(const struct lq_command *const *commands);
