#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config.h"

// Text for man(7): a hyphen is a minus, a backslash is itself, a leading dot is no macro.
static void print_text(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '\n' || *text == '\v')
            fputc(' ', stdout);
        else
            fputc(*text, stdout);
    }
}

static void print_option(const struct argp_option *option)
{
    printf(".TP\n\\fB");
    if (option->key > ' ' && option->key < 0x7f)
        printf("\\-%c\\fR, \\fB", option->key);
    print_text("--");
    print_text(option->name);
    printf("\\fR");
    if (option->arg) {
        printf(option->flags & OPTION_ARG_OPTIONAL ? "[=\\fI" : "=\\fI");
        print_text(option->arg);
        printf(option->flags & OPTION_ARG_OPTIONAL ? "\\fR]" : "\\fR");
    }
    printf("\n");
    print_text(option->doc ? option->doc : "");
    printf("\n");
}

static void print_options(const struct argp *argp)
{
    for (const struct argp_option *option = argp->options;
         option && (option->name || option->doc || option->key); option++) {
        if (option->name && !(option->flags & OPTION_HIDDEN))
            print_option(option);
        else if (!option->name && option->doc) {
            printf(".PP\n");
            print_text(option->doc);
            printf("\n");
        }
    }
    for (const struct argp_child *child = argp->children; child && child->argp; child++)
        print_options(child->argp);
}

static void print_command(const struct lq_command *command)
{
    printf(".SS lacquer %s", command->name);
    if (command->argp->args_doc) {
        printf(" ");
        print_text(command->argp->args_doc);
    }
    printf("\n");
    // argp separates what stands before and after the options by a vertical tab.
    if (command->argp->doc)
        print_text(command->argp->doc);
    printf("\n");
    print_options(command->argp);
}

void lq_cli_print_man(const struct lq_command *commands)
{
    printf(".TH LACQUER 1 \"\" \"lacquer %s\" \"User Commands\"\n", LQ_VERSION);
    printf(".SH NAME\nlacquer \\- virtual manicure, live or on pictures\n");
    printf(".SH SYNOPSIS\n.B lacquer\n\\fICOMMAND\\fR [\\fIOPTION\\fR...]\n");
    printf(".SH DESCRIPTION\nFinds fingernails in pictures and paints polish on them in the "
           "light of the scene.\n");
    printf(".SH COMMANDS\n");
    for (const struct lq_command *command = commands; command->name; command++)
        print_command(command);
    printf(".SH EXIT STATUS\n0 done, 1 failed, 2 wrong use.\n");
    printf(".SH ENVIRONMENT\n.TP\nPORT\nThe port of lacquer serve when \\-\\-port is not given.\n"
           ".TP\nLACQUER_OPENVINO\nA folder with libopenvino_c and the libraries it needs.\n");
    printf(".SH FILES\n.TP\n~/.cache/lacquer\nCompiled models; may be deleted at any time.\n");
}
