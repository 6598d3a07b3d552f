// Finds which column of a shop's export holds what, by its header, ignoring case.
// Threads: any; no state.
#pragma once

#include "base/csv.h"

enum lq_shop_column {
    LQ_SHOP_HANDLE, LQ_SHOP_ID, LQ_SHOP_KIND, LQ_SHOP_PARENT, LQ_SHOP_TITLE, LQ_SHOP_SKU,
    LQ_SHOP_GTIN, LQ_SHOP_BRAND, LQ_SHOP_PRICE, LQ_SHOP_SALE, LQ_SHOP_CURRENCY, LQ_SHOP_STOCK,
    LQ_SHOP_IN_STOCK, LQ_SHOP_POLICY, LQ_SHOP_URL, LQ_SHOP_COLOR, LQ_SHOP_TAGS,
    LQ_SHOP_DESCRIPTION, LQ_SHOP_SHORT, LQ_SHOP_STATUS, LQ_SHOP_PUBLISHED, LQ_SHOP_COLUMN_COUNT,
};

enum { LQ_SHOP_OPTIONS_MAX = 6, LQ_SHOP_CODES_MAX = 16 };

struct lq_shop_columns {
    int at[LQ_SHOP_COLUMN_COUNT];          // -1: missing
    int option_name[LQ_SHOP_OPTIONS_MAX];  // "Option1 Name", "Attribute 1 name"
    int option_value[LQ_SHOP_OPTIONS_MAX];
    int codes[LQ_SHOP_CODES_MAX];          // other columns that may hold a colour code: metafields
    int code_count;
};

// Reads the header record. False: it has no column for a product's name, number or colour.
bool lq_shop_columns_find(struct lq_shop_columns *columns, const struct lq_csv *csv);

// A field of a record, "" if the record does not have it.
const char *lq_shop_field(const struct lq_csv *csv, int at);

// Whether an option with this name is the colour: "Color", "Shade", "Farbe", …
bool lq_shop_is_color_option(const char *name);
