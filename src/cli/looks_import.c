// lacquer looks import: converts a shop's product export to swatches for --looks.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/parse_json.h"
#include "cli/cli.h"
#include "paint/shop.h"

enum { OPT_CURRENCY = 0x300, OPT_SHOP, OPT_FORCE, CSV_BYTES_MAX = 64 * 1024 * 1024 };

struct import {
    const char *csv, *out, *currency, *site;
    bool force;
};

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "Folder for shades.json, created if missing", 1},
    {"currency", OPT_CURRENCY, "CODE", 0, "Currency of prices that name none: EUR, USD, …", 1},
    {"shop", OPT_SHOP, "URL", 0,
     "The shop's address, for links to its products: https://shop.example", 1},
    {"force", OPT_FORCE, NULL, 0, "Replace an existing shades.json", 1},
    {0}};

static const char *checked_site(struct argp_state *state, char *url)
{
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        argp_error(state, "--shop takes an address like https://shop.example, not '%s'", url);
    size_t len = strlen(url);
    while (len && url[len - 1] == '/')
        url[--len] = 0;
    return url;
}

static const char *checked_currency(struct argp_state *state, const char *code)
{
    if (strlen(code) != 3 || strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        argp_error(state, "--currency takes three capital letters like EUR, not '%s'", code);
    return code;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct import *import = state->input;
    switch (key) {
    case 'o':
        import->out = arg;
        return 0;
    case OPT_CURRENCY:
        import->currency = checked_currency(state, arg);
        return 0;
    case OPT_SHOP:
        import->site = checked_site(state, arg);
        return 0;
    case OPT_FORCE:
        import->force = true;
        return 0;
    case ARGP_KEY_ARG:
        if (import->csv)
            argp_error(state, "one file at a time: '%s' is one too many", arg);
        import->csv = arg;
        return 0;
    case ARGP_KEY_END:
        if (!import->csv || !import->out)
            argp_error(state, "a product export and --out DIR are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp lq_looks_import_argp = {
    options, parse, "SHOP.csv",
    "Makes shades.json from a shop's product export, for `lacquer serve --looks DIR`. Reads "
    "Shopify's and WooCommerce's exports unchanged, and any CSV whose first line names columns "
    "like name, hex, sku, gtin, brand, price, stock and url. A row needs a colour: a code like "
    "#5a1118 in a column, option, title, tag or description, or the name of a known colour. "
    "Standard error lists the line of each row that is skipped.",
    NULL, NULL, NULL};

static void tell(void *context, int line, const char *text)
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

int lq_cli_looks_import(int argc, char **argv)
{
    struct import import = {0};
    struct lq_error err;
    struct lq_catalogue *catalogue;
    argp_parse(&lq_looks_import_argp, argc, argv, 0, NULL, &import);
    int status = lq_catalogue_open(&catalogue, NULL, &err);
    if (status != LQ_OK)
        return lq_cli_error(&err);
    struct lq_shop shop = {.catalogue = catalogue, .currency = import.currency,
                           .site = import.site, .tell = tell, .context = (void *)import.csv};
    status = import_shop(&import, &shop, &err);
    lq_shop_release(&shop);
    lq_catalogue_close(catalogue);
    return status == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&err);
}
