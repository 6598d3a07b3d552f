// Reads swatches from a shop's product export: Shopify's and WooCommerce's formats, and any CSV
// with a header line such as sku, name, hex, price, url. A row is a swatch if it has a colour: from
// a column of hexadecimal codes, from a code in its option, title, tags or description, or from the
// complete name of a known colour or swatch.
// Threads: any; one struct belongs to one thread. Owner: init/release by the caller; the struct
// owns the swatches.
#pragma once

#include "paint/catalogue.h"

struct lq_shop {
    // Set by the caller; only the catalogue is required:
    const struct lq_catalogue *catalogue; // names and families; borrowed
    const char *currency;                 // of prices without a currency
    const char *site;                     // "https://shop.example", for products without an address
                                          // of their own
    // Receives a message about each row, and each value, that is skipped.
    void (*report)(void *context, int line, const char *text);
    void *context;
    // Results:
    struct lq_shade_name *shades;
    int count;
    int skipped; // rows skipped with a message
    int others;  // rows that are not swatches themselves: further pictures, products with variants
};

// Adds the file's swatches. FIELD: no known header in its first line. FORMAT: not a text file.
LQ_MUST_CHECK int lq_shop_read(struct lq_shop *shop, const void *bytes, size_t len,
                               struct lq_error *err);
void lq_shop_release(struct lq_shop *shop);
