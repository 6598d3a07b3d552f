// lacquer looks import: converts a shop's product export to swatches for --looks.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/parse_json.h"
#include "cli/cli.h"
#include "paint/shop.h"

enum { CSV_BYTES_MAX = 64 * 1024 * 1024 };

struct import {
    const char *csv, *out, *currency, *site;
    bool force;
};

static void set_site(struct argp_state *state, void *input, char *url)
{
    struct import *import = input;
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        argp_error(state, "--shop takes an address like https://shop.example, not '%s'", url);
    size_t len = strlen(url);
    while (len && url[len - 1] == '/')
        url[--len] = 0;
    import->site = url;
}

static void set_currency(struct argp_state *state, void *input, char *code)
{
    struct import *import = input;
    if (strlen(code) != 3 || strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        argp_error(state, "--currency takes three capital letters like EUR, not '%s'", code);
    import->currency = code;
}

static const struct lq_cli_option options[] = {
    {"out", "DIR", "Folder for shades.json, created if missing", 1,
     LQ_CLI_TAKE_TEXT(struct import, out), .letter = 'o'},
    {"currency", "CODE", "Currency of prices that name none: EUR, USD, …", 1,
     LQ_CLI_TAKE_CALL(set_currency)},
    {"shop", "URL", "The shop's address, for links to its products: https://shop.example", 1,
     LQ_CLI_TAKE_CALL(set_site)},
    {"force", NULL, "Replace an existing shades.json", 1, LQ_CLI_TAKE_ON(struct import, force)},
    {0}};

static void take_csv(struct argp_state *state, void *input, char *word)
{
    struct import *import = input;
    if (import->csv)
        argp_error(state, "one file at a time: '%s' is one too many", word);
    import->csv = word;
}

static void check(struct argp_state *state, void *input)
{
    const struct import *import = input;
    if (!import->csv || !import->out)
        argp_error(state, "a product export and --out DIR are needed");
}


static void report_row(void *context, int line, const char *text)
{
    fprintf(stderr, "lacquer: %s:%d: %s\n", (const char *)context, line, text);
}

static int read_shop(const struct import *import, struct lq_shop *shop, struct lq_error *err)
{
    struct lq_buf file;
    lq_buf_init(&file, CSV_BYTES_MAX);
    int status = lq_file_read(import->csv, &file, err);
    if (status == LQ_OK) {
        status = lq_shop_read(shop, file.data, file.len, err);
        if (status != LQ_OK)
            lq_fail_within(err, "'%.200s'", import->csv);
    }
    lq_buf_release(&file);
    if (status == LQ_OK && shop->count == 0)
        status = lq_fail(err, LQ_ERR_FIELD, "'%.200s' has no row with a colour", import->csv);
    return status;
}

static int make_folder(const char *path, struct lq_error *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return LQ_OK;
    return lq_fail(err, LQ_ERR_IO, "cannot make the folder '%.200s': %s", path, strerror(errno));
}

static int write_shades(const struct import *import, const struct lq_shop *shop, const char *path,
                        struct lq_error *err)
{
    struct stat there;
    struct lq_buf text;
    if (!import->force && stat(path, &there) == 0)
        return lq_fail(err, LQ_ERR_IO,
                       "'%.200s' is there already: choose another --out, or --force to replace it",
                       path);
    lq_buf_init(&text, LQ_SHADES_BYTES_MAX);
    json_t *list = lq_shades_write(shop->shades, shop->count);
    bool printed = lq_json_print(list, JSON_INDENT(1) | JSON_REAL_PRECISION(5), &text) &&
                   lq_buf_append(&text, "\n", 1) == LQ_OK;
    int status = printed ? lq_file_write(path, text.data, text.len, err)
                         : lq_fail(err, LQ_ERR_TOO_LARGE, "the shades come to more than %d bytes",
                                   LQ_SHADES_BYTES_MAX);
    json_decref(list);
    lq_buf_release(&text);
    return status;
}

static int import_shop(const struct import *import, struct lq_shop *shop, struct lq_error *err)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/shades.json", import->out) >= (int)sizeof path)
        return lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.60s…'", import->out);
    int status = read_shop(import, shop, err);
    if (status == LQ_OK)
        status = make_folder(import->out, err);
    if (status == LQ_OK)
        status = write_shades(import, shop, path, err);
    if (status == LQ_OK)
        printf("%d shades in %s, %d rows left out, %d rows of pictures and products above "
               "variants\n", shop->count, path, shop->skipped, shop->others);
    return status;
}

static int run_command(int argc, char **argv)
{
    struct import import = {0};
    struct lq_error err;
    struct lq_catalogue *catalogue;
    lq_cli_parse(&lq_looks_import_command.line, argc, argv, &import);
    int status = lq_catalogue_open(&catalogue, NULL, &err);
    if (status != LQ_OK)
        return lq_cli_error(&err);
    struct lq_shop shop = {.catalogue = catalogue, .currency = import.currency,
                           .site = import.site, .report = report_row,
                           .context = (void *)import.csv};
    status = import_shop(&import, &shop, &err);
    lq_shop_release(&shop);
    lq_catalogue_close(catalogue);
    return status == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&err);
}

const struct lq_command lq_looks_import_command = {
    "looks import", "make shades from a shop's product export", run_command,
    {.options = options, .args_doc = "SHOP.csv", .argument = take_csv, .check = check,
     .doc = "Makes shades.json from a shop's product export, for `lacquer serve --looks DIR`. "
            "Reads Shopify's and WooCommerce's exports unchanged, and any CSV whose first line "
            "names columns like name, hex, sku, gtin, brand, price, stock and url. A row needs "
            "a colour: a code like #5a1118 in a column, option, title, tag or description, or "
            "the name of a known colour. Standard error lists the line of each row that is "
            "skipped."}};
