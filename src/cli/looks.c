// lacquer looks: lists the swatches, finishes, looks and patterns.
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/look_options.h"
#include "paint/catalogue_json.h"

struct looks {
    struct lq_cli_look look;
    bool json;
};

static const struct lq_cli_option options[] = {
    {"json", NULL, "Print JSON, as GET /api/looks gives it", 1,
     LQ_CLI_TAKE_ON(struct looks, json)},
    {0}};


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

static int run_command(int argc, char **argv)
{
    struct looks looks = {.json = false};
    lq_cli_look_init(&looks.look);
    lq_cli_parse(&lq_looks_command.line, argc, argv, &looks);
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

static const struct lq_cli_part parts[] = {
    {&lq_cli_looks_spec, offsetof(struct looks, look)}, {0}};

const struct lq_command lq_looks_command = {
    "looks", "list shades, finishes, looks and patterns", run_command,
    {.options = options, .parts = parts,
     .doc = "Lists the finishes, shades, looks and nail-art patterns that --finish, --color, "
            "--look and --pattern take."}};
