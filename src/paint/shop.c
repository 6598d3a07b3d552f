#include "paint/shop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/csv.h"
#include "paint/shop_columns.h"
#include "paint/shop_text.h"

// What the rows of one product share: Shopify writes it only in the product's first row.
struct product {
    char handle[128], id[32], sku[64], title[128], brand[LQ_LOOK_NAME_MAX];
    char options[LQ_SHOP_OPTIONS_MAX][64];
    bool has_color;
    uint8_t color[3];
    char left_out[96]; // why its rows are not for sale; "" if they are
};

struct reader {
    struct lq_shop *shop;
    struct lq_csv csv;
    struct lq_shop_columns columns;
    struct product product;
    int capacity;
};

static const char *field(const struct reader *reader, enum lq_shop_column column)
{
    return lq_shop_field(&reader->csv, reader->columns.at[column]);
}

static void report(const struct reader *reader, const char *format, const char *value)
{
    char text[512];
    snprintf(text, sizeof text, format, value);
    if (reader->shop->report)
        reader->shop->report(reader->shop->context, reader->csv.line, text);
}

static void skip_row(struct reader *reader, const char *format, const char *value)
{
    reader->shop->skipped++;
    report(reader, format, value);
}

// ---- products and their variants ---------------------------------------------------------------

static bool is_no(const char *text)
{
    static const char *const words[] = {"false", "0", "-1", "no", "draft", "archived", "unlisted"};
    for (size_t i = 0; i < LQ_COUNT(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

// Finds a colour code in free text: title, tags or description.
static bool color_in_text(const struct reader *reader, uint8_t color[3])
{
    static const enum lq_shop_column places[] = {LQ_SHOP_TITLE, LQ_SHOP_TAGS, LQ_SHOP_SHORT,
                                                 LQ_SHOP_DESCRIPTION};
    for (size_t i = 0; i < LQ_COUNT(places); i++)
        if (lq_shop_hex(field(reader, places[i]), false, color))
            return true;
    return false;
}

static void begin_product(struct reader *reader)
{
    struct product *product = &reader->product;
    memset(product, 0, sizeof *product);
    lq_shop_copy(product->handle, sizeof product->handle, field(reader, LQ_SHOP_HANDLE));
    lq_shop_copy(product->id, sizeof product->id, field(reader, LQ_SHOP_ID));
    lq_shop_copy(product->sku, sizeof product->sku, field(reader, LQ_SHOP_SKU));
    lq_shop_copy(product->title, sizeof product->title, field(reader, LQ_SHOP_TITLE));
    lq_shop_copy(product->brand, sizeof product->brand, field(reader, LQ_SHOP_BRAND));
    for (int i = 0; i < LQ_SHOP_OPTIONS_MAX; i++)
        lq_shop_copy(product->options[i], sizeof product->options[i],
                     lq_shop_field(&reader->csv, reader->columns.option_name[i]));
    product->has_color = color_in_text(reader, product->color);
    if (is_no(field(reader, LQ_SHOP_STATUS)) || is_no(field(reader, LQ_SHOP_PUBLISHED)))
        snprintf(product->left_out, sizeof product->left_out, "it is not published");
}

// Whether the row belongs to the same product as the rows before it.
static bool is_of_product(const struct reader *reader)
{
    const struct product *product = &reader->product;
    const char *handle = field(reader, LQ_SHOP_HANDLE), *parent = field(reader, LQ_SHOP_PARENT);
    if (*handle)
        return strcmp(handle, product->handle) == 0;
    if (strncmp(parent, "id:", 3) == 0)
        return strcmp(parent + 3, product->id) == 0;
    return *parent && strcmp(parent, product->sku) == 0;
}

// Rows that are no shade themselves and can be skipped without a message.
static bool is_other(const struct reader *reader)
{
    const char *kind = field(reader, LQ_SHOP_KIND);
    bool shopify = reader->columns.at[LQ_SHOP_HANDLE] >= 0;
    if (!shopify && (strncmp(kind, "variable", 8) == 0 || strncmp(kind, "grouped", 7) == 0))
        return true;
    return shopify && !*field(reader, LQ_SHOP_TITLE) && !*field(reader, LQ_SHOP_SKU) &&
           !*field(reader, LQ_SHOP_PRICE) &&
           !*lq_shop_field(&reader->csv, reader->columns.option_value[0]);
}

// The value of the option that is the colour; "" if there is none.
static const char *color_option(const struct reader *reader)
{
    for (int i = 0; i < LQ_SHOP_OPTIONS_MAX; i++) {
        const char *own = lq_shop_field(&reader->csv, reader->columns.option_name[i]);
        if (lq_shop_is_color_option(*own ? own : reader->product.options[i]))
            return lq_shop_field(&reader->csv, reader->columns.option_value[i]);
    }
    return "";
}

// ---- one shade ---------------------------------------------------------------------------------

static bool find_color(const struct reader *reader, const char *option, uint8_t color[3])
{
    const struct lq_catalogue *catalogue = reader->shop->catalogue;
    const char *own = field(reader, LQ_SHOP_COLOR);
    if (lq_shop_hex(own, true, color))
        return true;
    for (int i = 0; i < reader->columns.code_count; i++)
        if (lq_shop_hex(lq_shop_field(&reader->csv, reader->columns.codes[i]), true, color))
            return true;
    if (lq_shop_hex(option, true, color) || color_in_text(reader, color))
        return true;
    if (lq_shop_color_name(catalogue, own, color) ||
        lq_shop_color_name(catalogue, option, color) ||
        lq_shop_color_name(catalogue, field(reader, LQ_SHOP_TITLE), color)) {
        report(reader, "'%.80s' has its colour by its name alone; a column 'hex' says it better",
               *option ? option : *own ? own : field(reader, LQ_SHOP_TITLE));
        return true;
    }
    // The product's own code applies to all rows only if variants have no colour of their own.
    if (*option || !reader->product.has_color)
        return false;
    memcpy(color, reader->product.color, 3);
    return true;
}

static void read_price(const struct reader *reader, struct lq_offer *offer)
{
    const char *sale = field(reader, LQ_SHOP_SALE), *price = field(reader, LQ_SHOP_PRICE);
    lq_shop_copy(offer->currency, sizeof offer->currency, field(reader, LQ_SHOP_CURRENCY));
    if (!*offer->currency && reader->shop->currency)
        lq_shop_copy(offer->currency, sizeof offer->currency, reader->shop->currency);
    if (!lq_shop_price(*sale ? sale : price, offer->price, offer->currency) && *price)
        report(reader, "its price '%.60s' cannot be read: kept without", price);
}

static void read_gtin(const struct reader *reader, struct lq_offer *offer)
{
    static const char *const why[] = {
        NULL, NULL, "GTIN '%.40s' was rounded by a spreadsheet: kept without; export it as text",
        "GTIN '%.40s' does not have 8, 12, 13 or 14 digits: kept without",
        "GTIN '%.40s' has a wrong check digit: kept without"};
    const char *text = field(reader, LQ_SHOP_GTIN);
    enum lq_gtin result = lq_shop_gtin(text, offer->gtin);
    if (why[result])
        report(reader, why[result], text);
}

// A negative count means oversold, so out of stock.
static int read_stock(const struct reader *reader)
{
    const char *count = field(reader, LQ_SHOP_STOCK), *policy = field(reader, LQ_SHOP_POLICY);
    char *end;
    long number = strtol(count, &end, 10);
    if (end == count)
        return is_no(field(reader, LQ_SHOP_IN_STOCK)) ? 0 : -1;
    bool endless = strcasecmp(policy, "continue") == 0 || strcasecmp(policy, "true") == 0;
    if (number <= 0)
        return endless ? -1 : 0;
    return number > 1000000 ? 1000000 : (int)number;
}

static void read_url(const struct reader *reader, struct lq_offer *offer)
{
    const char *url = field(reader, LQ_SHOP_URL), *site = reader->shop->site;
    const char *handle = field(reader, LQ_SHOP_HANDLE), *id = field(reader, LQ_SHOP_ID);
    if (strncmp(field(reader, LQ_SHOP_PARENT), "id:", 3) == 0)
        id = field(reader, LQ_SHOP_PARENT) + 3;
    int len = 0;
    if (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0)
        len = snprintf(offer->url, sizeof offer->url, "%s", url);
    else if (site && *handle)
        len = snprintf(offer->url, sizeof offer->url, "%s/products/%s", site, handle);
    else if (site && *id)
        len = snprintf(offer->url, sizeof offer->url, "%s/?p=%s", site, id);
    if (len >= (int)sizeof offer->url)
        offer->url[0] = 0;
    if (*url && !*offer->url)
        report(reader, "'%.60s' is no https address: kept without", url);
}

// Copies the family of the most similar shade in the catalogue.
static void find_family(const struct lq_catalogue *catalogue, struct lq_shade_name *shade)
{
    int count;
    float least = INFINITY;
    const struct lq_shade_name *all = lq_catalogue_shades(catalogue, &count);
    for (int i = 0; i < count; i++) {
        float distance = 0;
        for (int k = 0; k < 3; k++)
            distance += (all[i].lab[k] - shade->lab[k]) * (all[i].lab[k] - shade->lab[k]);
        if (distance < least) {
            least = distance;
            memcpy(shade->family, all[i].family, sizeof shade->family);
        }
    }
}

static bool is_taken(const struct lq_shop *shop, const char *name)
{
    for (int i = 0; i < shop->count; i++)
        if (strcmp(shop->shades[i].name, name) == 0)
            return true;
    return false;
}

// Derives the name from the title, else from the article number; appends the line number if it is
// taken.
static void choose_name(const struct reader *reader, struct lq_shade_name *shade)
{
    char slug[LQ_LOOK_NAME_MAX];
    lq_shop_slug(shade->title, slug);
    if (!*slug)
        lq_shop_slug(shade->offer.sku, slug);
    memcpy(shade->name, slug, sizeof slug);
    if (!*slug || is_taken(reader->shop, slug))
        snprintf(shade->name, sizeof shade->name, "%.36s%s%d", slug, *slug ? "-" : "shade-",
                 reader->csv.line);
}

static void fill_shade(const struct reader *reader, const char *option, const uint8_t color[3],
                       struct lq_shade_name *shade)
{
    const char *title = field(reader, LQ_SHOP_TITLE), *brand = field(reader, LQ_SHOP_BRAND);
    memset(shade, 0, sizeof *shade);
    memcpy(shade->color, color, 3);
    lq_color_to_lab(color, shade->lab);
    lq_shop_title(shade->title, sizeof shade->title, option);
    if (!*shade->title)
        lq_shop_title(shade->title, sizeof shade->title, *title ? title : reader->product.title);
    if (!*shade->title)
        lq_shop_copy(shade->title, sizeof shade->title, field(reader, LQ_SHOP_SKU));
    lq_shop_copy(shade->offer.sku, sizeof shade->offer.sku, field(reader, LQ_SHOP_SKU));
    lq_shop_copy(shade->offer.brand, sizeof shade->offer.brand,
                 *brand ? brand : reader->product.brand);
    read_price(reader, &shade->offer);
    read_gtin(reader, &shade->offer);
    shade->offer.stock = read_stock(reader);
    read_url(reader, &shade->offer);
    find_family(reader->shop->catalogue, shade);
    choose_name(reader, shade);
}

// ---- rows --------------------------------------------------------------------------------------

static int add_shade(struct reader *reader, const char *option, const uint8_t color[3],
                     struct lq_error *err)
{
    struct lq_shop *shop = reader->shop;
    if (shop->count == LQ_SHADES_MAX) {
        skip_row(reader, "there are more shades than %s", "2048");
        return LQ_OK;
    }
    if (shop->count == reader->capacity) {
        reader->capacity = reader->capacity ? 2 * reader->capacity : 64;
        size_t size = (size_t)reader->capacity * sizeof *shop->shades;
        struct lq_shade_name *more = realloc(shop->shades, size);
        if (!more)
            return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
        shop->shades = more;
    }
    fill_shade(reader, option, color, &shop->shades[shop->count]);
    shop->count++;
    return LQ_OK;
}

static int read_row(struct reader *reader, struct lq_error *err)
{
    uint8_t color[3];
    if (!is_of_product(reader))
        begin_product(reader);
    if (is_other(reader)) {
        reader->shop->others++;
        return LQ_OK;
    }
    const char *option = color_option(reader), *title = field(reader, LQ_SHOP_TITLE);
    const char *name = *option ? option : *title ? title : field(reader, LQ_SHOP_SKU);
    if (*reader->product.left_out || is_no(field(reader, LQ_SHOP_PUBLISHED)))
        skip_row(reader, "'%.80s' is left out: it is not published", name);
    else if (!find_color(reader, option, color))
        skip_row(reader, "'%.80s' is left out: it has no colour; give it a column 'hex' with "
                         "#rrggbb", name);
    else
        return add_shade(reader, option, color, err);
    return LQ_OK;
}

static int read_rows(struct reader *reader, struct lq_error *err)
{
    int status = lq_csv_next(&reader->csv, err);
    if (status < 0)
        return lq_fail_within(err, "line %d", reader->csv.line);
    if (status == 0 || !lq_shop_columns_find(&reader->columns, &reader->csv))
        return lq_fail(err, LQ_ERR_FIELD, "its first line names no column that is known: handle, "
                                          "title, name or sku");
    while ((status = lq_csv_next(&reader->csv, err)) != 0) {
        if (status == LQ_ERR_MEMORY)
            return status;
        if (status < 0)
            skip_row(reader, "left out: %s", err->text);
        else if ((status = read_row(reader, err)) != LQ_OK)
            return status;
    }
    return LQ_OK;
}

int lq_shop_read(struct lq_shop *shop, const void *bytes, size_t len, struct lq_error *err)
{
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    reader->shop = shop;
    reader->capacity = shop->count;
    int status = lq_csv_init(&reader->csv, bytes, len, err);
    if (status == LQ_OK)
        status = read_rows(reader, err);
    lq_csv_release(&reader->csv);
    free(reader);
    return status;
}

void lq_shop_release(struct lq_shop *shop)
{
    free(shop->shades);
    shop->shades = NULL;
    shop->count = 0;
}
