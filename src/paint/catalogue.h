// The catalogue: named swatches, looks and nail-art patterns. Some are built in; a folder can add
// more (docs/LOOKS.md, "Folder").
// Threads: an opened catalogue is read-only and shared. Owner: open/close by the caller; everything
// it returns is valid until it is closed, and looks read with it borrow its patterns.
#pragma once

#include <jansson.h>

#include "paint/look.h"
#include "paint/pattern.h"

enum { LQ_LOOK_NAME_MAX = 48, LQ_SHADES_MAX = 2048, LQ_LOOKS_MAX = 256, LQ_PATTERNS_MAX = 32,
       LQ_LOOK_BYTES_MAX = 64 * 1024, LQ_PATTERN_BYTES_MAX = 1024 * 1024,
       LQ_SHADES_BYTES_MAX = 2 * 1024 * 1024, LQ_SHOP_URL_MAX = 512 };

// A shop's data on a swatch. Missing texts are empty; a missing stock is -1.
struct lq_offer {
    char sku[64];
    char gtin[16];     // 8, 12, 13 or 14 digits with a valid check digit
    char brand[LQ_LOOK_NAME_MAX];
    char price[16];    // "12.90"
    char currency[4];  // ISO 4217
    char url[LQ_SHOP_URL_MAX]; // http or https
    int stock;         // pieces
};

struct lq_shade_name {
    char name[LQ_LOOK_NAME_MAX];   // a-z, 0-9 and '-'
    char title[LQ_LOOK_NAME_MAX];  // shown to people
    char family[LQ_LOOK_NAME_MAX]; // red, pink, nude, …
    float lab[3];                  // CIELAB, D65, 2 degrees
    uint8_t color[3];              // the same colour in sRGB
    struct lq_offer offer;
};

struct lq_named_look {
    char name[LQ_LOOK_NAME_MAX], title[LQ_LOOK_NAME_MAX];
    struct lq_look look;
};

struct lq_catalogue;

// Opens the built-in entries, then those in `dir` (may be NULL), which replace entries of the same
// name.
LQ_MUST_CHECK int lq_catalogue_open(struct lq_catalogue **catalogue, const char *dir,
                                    struct lq_error *err);
void lq_catalogue_close(struct lq_catalogue *catalogue);

const struct lq_shade_name *lq_catalogue_shades(const struct lq_catalogue *catalogue, int *count);
const struct lq_named_look *lq_catalogue_looks(const struct lq_catalogue *catalogue, int *count);
const struct lq_pattern *const *lq_catalogue_patterns(const struct lq_catalogue *catalogue,
                                                      int *count);

// NULL if there is none of that name.
const struct lq_shade_name *lq_catalogue_shade(const struct lq_catalogue *catalogue,
                                               const char *name);
const struct lq_named_look *lq_catalogue_look(const struct lq_catalogue *catalogue,
                                              const char *name);
const struct lq_pattern *lq_catalogue_pattern(const struct lq_catalogue *catalogue,
                                              const char *name);

// CIELAB (D65) to sRGB, each channel clamped to 0..255; and back.
void lq_lab_to_color(const float lab[3], uint8_t color[3]);
void lq_color_to_lab(const uint8_t color[3], float lab[3]);

// An array of swatches in the format of shades.json; NULL if out of memory. The caller owns it.
json_t *lq_shades_write(const struct lq_shade_name *shades, int count);
