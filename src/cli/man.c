#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config.h"

// Escapes text for man(7): hyphens print as minus signs, backslashes as themselves, and a leading
// dot does not start a macro.
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

static void print_option(const struct lq_cli_option *option)
{
    bool optional = option->flags & OPTION_ARG_OPTIONAL;
    printf(".TP\n\\fB");
    if (option->letter)
        printf("\\-%c\\fR, \\fB", option->letter);
    print_text("--");
    print_text(option->name);
    printf("\\fR");
    if (option->value) {
        printf(optional ? "[=\\fI" : "=\\fI");
        print_text(option->value);
        printf(optional ? "\\fR]" : "\\fR");
    }
    printf("\n");
    print_text(option->doc ? option->doc : "");
    printf("\n");
}

static void print_options(const struct lq_cli_spec *spec)
{
    for (const struct lq_cli_option *option = spec->options; option->name || option->doc;
         option++) {
        if (option->name && !(option->flags & OPTION_HIDDEN))
            print_option(option);
        else if (!option->name) {
            printf(".PP\n");
            print_text(option->doc);
            printf("\n");
        }
    }
    for (const struct lq_cli_part *part = spec->parts; part && part->spec; part++)
        print_options(part->spec);
}

static void print_command(const struct lq_command *command)
{
    printf(".SS lacquer %s", command->name);
    if (command->line.args_doc) {
        printf(" ");
        print_text(command->line.args_doc);
    }
    printf("\n");
    // In argp a vertical tab separates the text before the options from the text after them.
    if (command->line.doc)
        print_text(command->line.doc);
    printf("\n");
    print_options(&command->line);
}

static void print_environment(void)
{
    static const struct {
        const char *name, *what;
    } variables[] = {
        {"PORT", "The port of `lacquer serve` when --port is not given."},
        {"LACQUER_OPENVINO", "A folder with libopenvino_c and the libraries it needs."},
        {"LACQUER_ONNXRUNTIME",
         "The folder with libonnxruntime; it is then looked for nowhere else."},
        {"LACQUER_TUNE",
         "`off`: the result of `lacquer tune` is not used, and `lacquer serve` does not tune."},
    };
    printf(".SH ENVIRONMENT\n");
    for (size_t i = 0; i < LQ_COUNT(variables); i++) {
        printf(".TP\n%s\n", variables[i].name);
        print_text(variables[i].what);
        printf("\n");
    }
}

void lq_cli_print_man(const struct lq_command *const *commands)
{
    printf(".TH LACQUER 1 \"\" \"lacquer %s\" \"User Commands\"\n", LQ_VERSION);
    printf(".SH NAME\nlacquer \\- virtual manicure, live or on pictures\n");
    printf(".SH SYNOPSIS\n.B lacquer\n\\fICOMMAND\\fR [\\fIOPTION\\fR...]\n");
    printf(".SH DESCRIPTION\nFinds fingernails in pictures and paints polish on them in the "
           "light of the scene.\n");
    printf(".SH COMMANDS\n");
    for (int i = 0; commands[i]; i++)
        print_command(commands[i]);
    printf(".SH EXIT STATUS\n0 done, 1 failed, 2 wrong use.\n");
    print_environment();
    printf(".SH FILES\n.TP\n~/.cache/lacquer\nCompiled models; may be deleted at any time.\n");
}
