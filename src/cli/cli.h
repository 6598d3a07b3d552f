// The commands of `lacquer`: one file a command, one table in main.c, help and man page from the
// same argp tables. Exit status 0 done, 1 failed, 2 wrong use. Results go to stdout, all else to
// stderr. Threads: the main one. Owner: each
// command frees what it made.
#pragma once

#include <argp.h>

#include "base/error.h"

enum { LQ_EXIT_OK = 0, LQ_EXIT_FAILED = 1, LQ_EXIT_USAGE = 2 };

struct lq_command {
    const char *name;
    const char *summary; // one line for `lacquer --help` and the man page's heading
    int (*run)(int argc, char **argv); // argv[0] is "lacquer NAME"; returns the exit status
    const struct argp *argp;
};

int lq_cli_apply(int argc, char **argv);
int lq_cli_bench(int argc, char **argv);
int lq_cli_convert(int argc, char **argv);
int lq_cli_engines(int argc, char **argv);
int lq_cli_eval(int argc, char **argv);
int lq_cli_inspect(int argc, char **argv);
int lq_cli_looks(int argc, char **argv);
int lq_cli_quantize(int argc, char **argv);
int lq_cli_looks_import(int argc, char **argv);
int lq_cli_serve(int argc, char **argv);
int lq_cli_site(int argc, char **argv);
int lq_cli_triton_repo(int argc, char **argv);
int lq_cli_tune(int argc, char **argv);

extern const struct argp lq_apply_argp;
extern const struct argp lq_bench_argp;
extern const struct argp lq_convert_argp;
extern const struct argp lq_engines_argp;
extern const struct argp lq_eval_argp;
extern const struct argp lq_inspect_argp;
extern const struct argp lq_looks_argp;
extern const struct argp lq_quantize_argp;
extern const struct argp lq_looks_import_argp;
extern const struct argp lq_serve_argp;
extern const struct argp lq_site_argp;
extern const struct argp lq_triton_repo_argp;
extern const struct argp lq_tune_argp;

// Prints "lacquer: text" on stderr; returns LQ_EXIT_FAILED, or LQ_EXIT_USAGE for LQ_ERR_ARGUMENT.
int lq_cli_error(const struct lq_error *err);

// The whole manual page in man(7) markup, from the table of commands, on stdout. A row without a
// name ends it.
void lq_cli_print_man(const struct lq_command *commands);
