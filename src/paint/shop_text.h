// Values as shops' exports write them: prices, article numbers, colours, names.
// Threads: any; no state. Owner: the caller.
#pragma once

#include <stdbool.h>

#include "paint/catalogue.h"

// "€ 1.299,00", "12,90 EUR", "$12.9" become "1299.00", "12.90", …, and the currency is written
// where one is named (else it stays as it was). False: no price, or one below 0.
bool lq_shop_price(const char *text, char price[16], char currency[4]);

enum lq_gtin { LQ_GTIN_NONE, LQ_GTIN_GOOD, LQ_GTIN_ROUNDED, LQ_GTIN_LENGTH, LQ_GTIN_DIGIT };

// An article number (GTIN-8, 12, 13, 14) without the blanks, hyphens and the apostrophe that
// spreadsheets and shops put in. ROUNDED: a spreadsheet has made 4.00E+12 of it. DIGIT: its check
// digit is wrong. `gtin` is written where it is GOOD.
enum lq_gtin lq_shop_gtin(const char *text, char gtin[16]);

// The first #rrggbb or #rgb that is not within an HTML tag. bare: the text may also be the digits
// alone.
bool lq_shop_hex(const char *text, bool bare, uint8_t color[3]);

// A colour by its whole name: a shade of the catalogue by its title or name, or a basic CSS colour.
bool lq_shop_color_name(const struct lq_catalogue *catalogue, const char *text, uint8_t color[3]);

// "Crème brûlée N° 5" → "creme-brulee-n-5"; empty where nothing can be spelled so.
void lq_shop_slug(const char *text, char name[LQ_LOOK_NAME_MAX]);

// A name for people: a copy without the code in it and what stands around it, "Oxblood (#5a1118)".
void lq_shop_title(char *out, size_t size, const char *text);

// A copy without blanks around it, cut at a character's end to fit.
void lq_shop_copy(char *out, size_t size, const char *text);
