// Shades out of a shop's product export: Shopify's and WooCommerce's as they come, and any CSV with
// a line of headers like sku, name, hex, price, url. A row is a shade when it has a colour: by a
// column of hexadecimal codes, by a code in its option, title, tags or description, or by the whole
// name of a colour or of a shade known here.
// Threads: any; one struct one thread. Owner: init/release by the caller; shades are the struct's.
#pragma once

#include "paint/catalogue.h"

struct lq_shop {
    // Set by the caller, who may leave out all but the catalogue:
    const struct lq_catalogue *catalogue; // names and families; borrowed
    const char *currency;                 // of prices that say none
    const char *site;                     // "https://shop.example": where products have their pages
    // Told of each row that is left out, and of each value that is.
    void (*tell)(void *context, int line, const char *text);
    void *context;
    // Out:
    struct lq_shade_name *shades;
    int count;
    int skipped; // rows left out that were told of
    int others;  // rows that are no shade of their own: further pictures, products above variants
};

// Adds the file's shades. FIELD: no header of ours is in its first line. FORMAT: no text.
LQ_MUST_CHECK int lq_shop_read(struct lq_shop *shop, const void *bytes, size_t len,
                               struct lq_error *err);
void lq_shop_release(struct lq_shop *shop);
