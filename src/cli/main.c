#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "config.h"

static const struct lq_command *const commands[] = {
    &lq_apply_command, &lq_bench_command, &lq_convert_command, &lq_engines_command,
    &lq_eval_command, &lq_inspect_command, &lq_looks_command, &lq_looks_import_command,
    &lq_quantize_command, &lq_serve_command, &lq_site_command, &lq_triton_repo_command,
    &lq_tune_command, NULL};

static void print_help(FILE *out)
{
    fprintf(out, "Usage: lacquer COMMAND [OPTION...]\n"
                 "Finds fingernails in pictures and paints polish on them, live.\n\n");
    for (int i = 0; commands[i]; i++)
        fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\n"
                 "`lacquer COMMAND --help` lists a command's options. First things to try:\n"
                 "\n"
                 "  lacquer serve            then open http://localhost:8080\n"
                 "  lacquer apply hand.jpg -o painted.jpg --color '#c71585'\n");
}

static const struct lq_command *find(const char *name)
{
    for (int i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int run(const struct lq_command *command, int argc, char **argv)
{
    // argp prints this name in usage lines and errors.
    char name[64];
    snprintf(name, sizeof name, "lacquer %s", command->name);
    argv[0] = name;
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
