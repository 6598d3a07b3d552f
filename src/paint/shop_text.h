// Parses values as shops' exports write them: prices, article numbers, colours, names.
// Threads: any; no state. Owner: the caller.
#pragma once

#include <stdbool.h>

#include "paint/catalogue.h"

// Turns "€ 1.299,00", "12,90 EUR", "$12.9" into "1299.00", "12.90", …, and sets the currency if the
// text names one. False: not a price, or negative.
bool lq_shop_price(const char *text, char price[16], char currency[4]);

enum lq_gtin { LQ_GTIN_NONE, LQ_GTIN_GOOD, LQ_GTIN_ROUNDED, LQ_GTIN_LENGTH, LQ_GTIN_DIGIT };

// Parses an article number (GTIN-8, 12, 13, 14), ignoring the spaces, hyphens and apostrophes that
// spreadsheets and shops add. ROUNDED: a spreadsheet turned it into 4.00E+12. DIGIT: the check
// digit is wrong. `gtin` is written only if GOOD.
enum lq_gtin lq_shop_gtin(const char *text, char gtin[16]);

// Finds the first #rrggbb or #rgb outside HTML tags. bare: the text may also consist of the digits
// alone.
bool lq_shop_hex(const char *text, bool bare, uint8_t color[3]);

// Finds a colour by its complete name: a swatch of the catalogue by title or name, or a basic CSS
// colour.
bool lq_shop_color_name(const struct lq_catalogue *catalogue, const char *text, uint8_t color[3]);

// "Crème brûlée N° 5" → "creme-brulee-n-5"; empty if nothing can be spelled that way.
void lq_shop_slug(const char *text, char name[LQ_LOOK_NAME_MAX]);

// Copies a name without the colour code in it and its brackets: "Oxblood (#5a1118)" → "Oxblood".
void lq_shop_title(char *out, size_t size, const char *text);

// Copies a text without leading and trailing spaces, cut at a character boundary to fit.
void lq_shop_copy(char *out, size_t size, const char *text);
