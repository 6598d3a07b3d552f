#include "cli/look_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parse_json.h"
#include "cli/cli.h"
#include "cli/number.h"
#include "paint/look_json.h"

static bool is_file(const char *text)
{
    return strchr(text, '/') || strchr(text, '.');
}

static int read_look_file(struct lq_cli_look *config, struct lq_error *err)
{
    struct lq_buf file;
    lq_buf_init(&file, LQ_LOOK_BYTES_MAX);
    int status = lq_file_read(config->name, &file, err);
    json_error_t where;
    json_t *json = status == LQ_OK ? lq_json_parse(file.data, file.len, JSON_REJECT_DUPLICATES,
                                                   &where)
                                   : NULL;
    if (status == LQ_OK && !json && lq_json_ran_out(&where))
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    else if (status == LQ_OK && !json)
        status = lq_fail(err, LQ_ERR_SYNTAX, "'%.120s': line %d: %.80s", config->name, where.line,
                         where.text);
    if (status == LQ_OK)
        status = lq_look_read(&config->look, json, config->catalogue, err);
    json_decref(json);
    lq_buf_release(&file);
    return status;
}

static int find_look(struct lq_cli_look *config, struct lq_error *err)
{
    if (is_file(config->name))
        return read_look_file(config, err);
    json_t *name = json_string(config->name);
    int status = lq_look_read_any(&config->look, name, config->catalogue, err);
    json_decref(name);
    return status;
}

static int find_pattern(struct lq_cli_look *config, struct lq_error *err)
{
    const struct lq_pattern *pattern = NULL;
    if (is_file(config->pattern_name)) {
        struct lq_buf file;
        lq_buf_init(&file, LQ_PATTERN_BYTES_MAX);
        int status = lq_file_read(config->pattern_name, &file, err);
        if (status == LQ_OK)
            status = lq_pattern_new(&config->pattern, config->pattern_name, file.data, file.len,
                                    err);
        lq_buf_release(&file);
        if (status != LQ_OK)
            return status;
        pattern = config->pattern;
    } else {
        pattern = lq_catalogue_pattern(config->catalogue, config->pattern_name);
    }
    if (!pattern)
        return lq_fail(err, LQ_ERR_FIELD, "unknown pattern '%.40s': `lacquer looks` lists them",
                       config->pattern_name);
    lq_look_set_pattern(&config->look, pattern);
    return LQ_OK;
}

static int set_color(struct lq_cli_look *config, struct lq_error *err)
{
    const struct lq_shade_name *shade = lq_catalogue_shade(config->catalogue, config->color);
    if (!shade)
        return lq_look_parse_color(&config->look, config->color, err);
    lq_look_set_color(&config->look, shade->color);
    return LQ_OK;
}

// Called after all options are read: sets the look first, then the options that modify it.
static void resolve(struct argp_state *state, void *input)
{
    struct lq_cli_look *config = input;
    struct lq_error err;
    struct lq_look *look = &config->look;
    int status = lq_catalogue_open(&config->catalogue, config->dir, &err);
    if (status == LQ_OK && config->name)
        status = find_look(config, &err);
    if (status == LQ_OK && config->color)
        status = set_color(config, &err);
    if (status == LQ_OK && config->finish)
        status = lq_look_parse_finish(look, config->finish, &err);
    if (status == LQ_OK && config->texture)
        status = lq_look_set_texture(look, lq_cli_number(state, "texture", config->texture, 0, 1),
                                     &err);
    if (status == LQ_OK && config->opacity)
        status = lq_look_set_opacity(look, lq_cli_number(state, "opacity", config->opacity, 0, 1),
                                     &err);
    if (config->sheen >= 0)
        lq_look_set_sheen(look, config->sheen);
    if (status == LQ_OK && config->pattern_name)
        status = find_pattern(config, &err);
    if (status == LQ_ERR_MEMORY)
        argp_failure(state, LQ_EXIT_FAILED, 0, "%s", err.text);
    else if (status != LQ_OK)
        argp_error(state, "%s", err.text);
}

static void set_sheen(struct argp_state *state, void *input, char *arg)
{
    (void)state;
    (void)arg;
    ((struct lq_cli_look *)input)->sheen = 1;
}

static void set_no_sheen(struct argp_state *state, void *input, char *arg)
{
    (void)state;
    (void)arg;
    ((struct lq_cli_look *)input)->sheen = 0;
}

#define LOOKS_OPTION                                                                              \
    {"looks", "DIR", "A folder with looks, shades and patterns of your own (docs/LOOKS.md)", 2,   \
     LQ_CLI_TAKE_TEXT(struct lq_cli_look, dir)}

static const struct lq_cli_option options[] = {
    {"look", "NAME|FILE.json",
     "A whole look; `lacquer looks` lists them. The options below change it", 2,
     LQ_CLI_TAKE_TEXT(struct lq_cli_look, name)},
    {"color", "#RRGGBB|SHADE", "Polish colour (default #c71585)", 2,
     LQ_CLI_TAKE_TEXT(struct lq_cli_look, color)},
    {"colour", NULL, NULL, 2, .flags = OPTION_ALIAS | OPTION_HIDDEN},
    {"finish", "NAME", "creme (default), gloss, …; `lacquer looks` lists them", 2,
     LQ_CLI_TAKE_TEXT(struct lq_cli_look, finish)},
    {"texture", "0..1", "How much of the nail's own fine detail shows (default 0.5)", 2,
     LQ_CLI_TAKE_TEXT(struct lq_cli_look, texture)},
    {"opacity", "0..1", "How much the polish hides the nail (default 1)", 2,
     LQ_CLI_TAKE_TEXT(struct lq_cli_look, opacity)},
    {"sheen", NULL, "Keep the nail's highlights and add those of the finish (default)", 2,
     LQ_CLI_TAKE_CALL(set_sheen)},
    {"no-sheen", NULL, "Paint without highlights", 2, LQ_CLI_TAKE_CALL(set_no_sheen)},
    {"pattern", "NAME|FILE.png", "Nail art to paint on every nail, with its top at the tip", 2,
     LQ_CLI_TAKE_TEXT(struct lq_cli_look, pattern_name)},
    LOOKS_OPTION,
    {0}};

static const struct lq_cli_option looks_options[] = {LOOKS_OPTION, {0}};

const struct lq_cli_spec lq_cli_look_spec = {.options = options, .check = resolve};
const struct lq_cli_spec lq_cli_looks_spec = {.options = looks_options, .check = resolve};

void lq_cli_look_init(struct lq_cli_look *look)
{
    *look = (struct lq_cli_look){.look = lq_look_default(), .sheen = -1};
}

void lq_cli_look_release(struct lq_cli_look *look)
{
    lq_catalogue_close(look->catalogue);
    lq_pattern_free(look->pattern);
}
