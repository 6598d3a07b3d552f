#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "config.h"

static const struct lq_command commands[] = {
    {"apply", "paint the nails in pictures", lq_cli_apply, &lq_apply_argp},
    {"bench", "measure the speed of a live server on this machine", lq_cli_bench, &lq_bench_argp},
    {"convert", "convert a TensorFlow Lite model to ONNX", lq_cli_convert,
     &lq_convert_argp},
    {"engines", "list the inference engines, and why one cannot run here", lq_cli_engines,
     &lq_engines_argp},
    {"eval", "measure a model against hand-drawn masks", lq_cli_eval, &lq_eval_argp},
    {"inspect", "print what a model file contains", lq_cli_inspect, &lq_inspect_argp},
    {"looks", "list shades, finishes, looks and patterns", lq_cli_looks, &lq_looks_argp},
    {"looks import", "make shades from a shop's product export", lq_cli_looks_import,
     &lq_looks_import_argp},
    {"quantize", "quantise a float model to int8", lq_cli_quantize, &lq_quantize_argp},
    {"serve", "serve the live page and the API", lq_cli_serve, &lq_serve_argp},
    {"site", "write the page as static files that need no server", lq_cli_site, &lq_site_argp},
    {"triton-repo", "write a model repository for NVIDIA Triton", lq_cli_triton_repo,
     &lq_triton_repo_argp},
    {"tune", "find the fastest way to run a model on this machine", lq_cli_tune, &lq_tune_argp},
    {0}};

static void print_help(FILE *out)
{
    fprintf(out, "Usage: lacquer COMMAND [OPTION...]\n"
                 "Finds fingernails in pictures and paints polish on them, live.\n\n");
    for (const struct lq_command *command = commands; command->name; command++)
        fprintf(out, "  %-12s %s\n", command->name, command->summary);
    fprintf(out, "\n"
                 "`lacquer COMMAND --help` lists a command's options. First things to try:\n"
                 "\n"
                 "  lacquer serve            then open http://localhost:8080\n"
                 "  lacquer apply hand.jpg -o painted.jpg --color '#c71585'\n");
}

static const struct lq_command *find(const char *name)
{
    for (const struct lq_command *command = commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static int run(const struct lq_command *command, int argc, char **argv)
{
    // argp prints this name in usage lines and errors.
    char name[64];
    snprintf(name, sizeof name, "lacquer %s", command->name);
    argv[0] = name;
    argp_err_exit_status = LQ_EXIT_USAGE;
    int status = command->run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "lacquer: cannot write to standard output\n");
        return LQ_EXIT_FAILED;
    }
    return status;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        printf("lacquer %s\n", LQ_VERSION);
        return LQ_EXIT_OK;
    }
    if (strcmp(word, "--man") == 0) {
        lq_cli_print_man(commands);
        return LQ_EXIT_OK;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        const struct lq_command *about = argc > 2 ? find(argv[2]) : NULL;
        if (about)
            return run(about, 2, (char *[]){argv[0], (char[]){"--help"}, NULL});
        print_help(stdout);
        return LQ_EXIT_OK;
    }
    // A command of two words: `looks import`.
    char words[64];
    snprintf(words, sizeof words, "%s %s", word, argc > 2 ? argv[2] : "");
    const struct lq_command *command = find(words);
    if (command)
        return run(command, argc - 2, argv + 2);
    command = find(word);
    if (command)
        return run(command, argc - 1, argv + 1);
    if (*word)
        fprintf(stderr, "lacquer: there is no command '%s'\n\n", word);
    print_help(stderr);
    return LQ_EXIT_USAGE;
}
