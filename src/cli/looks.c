// lacquer looks: lists the swatches, finishes, looks and patterns.
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/look_options.h"
#include "paint/catalogue_json.h"

enum { OPT_JSON = 0x300 };

struct looks {
    struct lq_cli_look look;
    bool json;
};

static const struct argp_option options[] = {
    {"json", OPT_JSON, NULL, 0, "Print JSON, as GET /api/looks gives it", 1}, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct looks *looks = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &looks->look;
        return 0;
    case OPT_JSON:
        looks->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not an option", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&lq_cli_looks_argp, 0, NULL, 0}, {0}};

const struct argp lq_looks_argp = {
    options, parse, NULL,
    "Lists the finishes, shades, looks and nail-art patterns that --finish, --color, --look and "
    "--pattern take.",
    children, NULL, NULL};

static void print_text(const struct lq_catalogue *catalogue)
{
    int shade_count, look_count, pattern_count;
    const struct lq_shade_name *shades = lq_catalogue_shades(catalogue, &shade_count);
    const struct lq_named_look *looks = lq_catalogue_looks(catalogue, &look_count);
    const struct lq_pattern *const *patterns = lq_catalogue_patterns(catalogue, &pattern_count);
    printf("finishes\n");
    for (int i = 0; i < LQ_FINISH_COUNT; i++)
        printf("  %s\n", lq_finish_name((enum lq_finish)i));
    printf("shades\n");
    for (int i = 0; i < shade_count; i++)
        printf("  %-20s #%02x%02x%02x  %s\n", shades[i].name, shades[i].color[0],
               shades[i].color[1], shades[i].color[2], shades[i].family);
    printf("looks\n");
    for (int i = 0; i < look_count; i++)
        printf("  %-20s %s\n", looks[i].name, looks[i].title);
    printf("patterns\n");
    for (int i = 0; i < pattern_count; i++)
        printf("  %s\n", patterns[i]->name);
}

int lq_cli_looks(int argc, char **argv)
{
    struct looks looks = {.json = false};
    lq_cli_look_init(&looks.look);
    argp_parse(&lq_looks_argp, argc, argv, 0, NULL, &looks);
    if (looks.json) {
        json_t *root = lq_catalogue_write(looks.look.catalogue);
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
    } else {
        print_text(looks.look.catalogue);
    }
    lq_cli_look_release(&looks.look);
    return LQ_EXIT_OK;
}
