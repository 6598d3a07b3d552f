#include "cli/options.h"

#include <string.h>

#include "base/attr.h"
#include "cli/cli.h"
#include "cli/number.h"

enum { OPTIONS_MAX = 64, PARTS_MAX = 3, KEY_FIRST = 0x100 }; // keys below are letters

// A table while argp processes it.
struct parser {
    const struct lq_cli_spec *spec;
    void *input;
    bool is_part;
    struct parser *parts;
};

static bool ends(const struct lq_cli_option *option)
{
    return !option->name && !option->doc;
}

static int key_of(const struct lq_cli_option *options, int i)
{
    if (!options[i].name || options[i].flags & OPTION_ALIAS)
        return 0;
    return options[i].letter ? options[i].letter : KEY_FIRST + i;
}

static const struct lq_cli_option *find(const struct lq_cli_option *options, int key)
{
    for (int i = 0; key && !ends(&options[i]); i++)
        if (key_of(options, i) == key)
            return &options[i];
    return NULL;
}

static void take(const struct lq_cli_option *option, void *input, char *arg,
                 struct argp_state *state)
{
    void *at = (char *)input + option->at;
    switch (option->kind) {
    case LQ_CLI_ON:
    case LQ_CLI_OFF:
        *(bool *)at = option->kind == LQ_CLI_ON;
        break;
    case LQ_CLI_TEXT:
        *(const char **)at = arg;
        break;
    case LQ_CLI_INTEGER:
        *(int *)at = (int)lq_cli_integer(state, option->name, arg, (long)option->low,
                                         (long)option->high);
        break;
    case LQ_CLI_FLOAT:
        *(float *)at = (float)lq_cli_number(state, option->name, arg, option->low, option->high);
        break;
    case LQ_CLI_DOUBLE:
        *(double *)at = lq_cli_number(state, option->name, arg, option->low, option->high);
        break;
    case LQ_CLI_WORD:
        *(int *)at = lq_cli_word(state, option->name, arg, option->words);
        break;
    case LQ_CLI_CALL:
        option->call(state, input, arg);
        break;
    case LQ_CLI_HEADING:
        break;
    }
}

static error_t take_word(const struct parser *parser, char *word, struct argp_state *state)
{
    const struct lq_cli_spec *spec = parser->spec;
    const struct lq_cli_words *words = &spec->words;
    if (parser->is_part || spec->rest)
        return ARGP_ERR_UNKNOWN;
    if (spec->argument)
        spec->argument(state, parser->input, word);
    else if (words->count == 0)
        argp_error(state, "'%s' is not an option", word);
    else if (state->arg_num >= (unsigned)words->count)
        argp_error(state, "%s", words->too_many);
    else
        *(const char **)((char *)parser->input + words->at[state->arg_num]) = word;
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    const struct parser *parser = state->input;
    const struct lq_cli_spec *spec = parser->spec;
    const struct lq_cli_option *option = find(spec->options, key);
    if (option) {
        take(option, parser->input, arg, state);
        return 0;
    }
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; spec->parts && spec->parts[i].spec; i++)
            state->child_inputs[i] = &parser->parts[i];
        return 0;
    case ARGP_KEY_ARG:
        return take_word(parser, arg, state);
    case ARGP_KEY_ARGS:
        if (!spec->rest)
            return ARGP_ERR_UNKNOWN;
        spec->rest(state, parser->input);
        return 0;
    case ARGP_KEY_END:
        if (spec->check)
            spec->check(state, parser->input);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp argp_of(const struct lq_cli_spec *spec, struct argp_option *options)
{
    int count = 0;
    for (; count < OPTIONS_MAX && !ends(&spec->options[count]); count++) {
        const struct lq_cli_option *from = &spec->options[count];
        options[count] = (struct argp_option){from->name, key_of(spec->options, count), from->value,
                                              from->flags, from->doc, from->group};
    }
    options[count] = (struct argp_option){0};
    return (struct argp){.options = options, .parser = parse, .args_doc = spec->args_doc,
                         .doc = spec->doc};
}

void lq_cli_parse(const struct lq_cli_spec *spec, int argc, char **argv, void *input)
{
    struct argp_option options[PARTS_MAX + 1][OPTIONS_MAX + 1];
    struct argp part_argps[PARTS_MAX];
    struct argp_child children[PARTS_MAX + 1] = {0};
    struct parser parts[PARTS_MAX], whole = {spec, input, false, parts};
    struct argp argp = argp_of(spec, options[PARTS_MAX]);
    for (int i = 0; i < PARTS_MAX && spec->parts && spec->parts[i].spec; i++) {
        const struct lq_cli_part *part = &spec->parts[i];
        parts[i] = (struct parser){part->spec, (char *)input + part->at, true, NULL};
        part_argps[i] = argp_of(part->spec, options[i]);
        children[i].argp = &part_argps[i];
    }
    argp.children = children;
    argp_err_exit_status = LQ_EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &whole);
}

int lq_cli_word(struct argp_state *state, const char *option, const char *text,
                const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    argp_error(state, "--%s does not know '%s'", option, text);
    return 0;
}
