#include "paint/shop_columns.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

// Headers of Shopify (before and since 2025), of WooCommerce in English, German, French and
// Spanish, and common ones in tables made by hand.
static const struct { const char *header; enum lq_shop_column column; } known[] = {
    {"handle", LQ_SHOP_HANDLE},
    {"url handle", LQ_SHOP_HANDLE},
    {"id", LQ_SHOP_ID},
    {"type", LQ_SHOP_KIND},
    {"typ", LQ_SHOP_KIND},
    {"tipo", LQ_SHOP_KIND},
    {"parent", LQ_SHOP_PARENT},
    {"übergeordnetes produkt", LQ_SHOP_PARENT},
    {"superior", LQ_SHOP_PARENT},
    {"title", LQ_SHOP_TITLE},
    {"name", LQ_SHOP_TITLE},
    {"nom", LQ_SHOP_TITLE},
    {"nombre", LQ_SHOP_TITLE},
    {"product", LQ_SHOP_TITLE},
    {"shade", LQ_SHOP_TITLE},
    {"variant sku", LQ_SHOP_SKU},
    {"sku", LQ_SHOP_SKU},
    {"artikelnummer", LQ_SHOP_SKU},
    {"ugs", LQ_SHOP_SKU},
    {"variant barcode", LQ_SHOP_GTIN},
    {"barcode", LQ_SHOP_GTIN},
    {"gtin, upc, ean, or isbn", LQ_SHOP_GTIN},
    {"gtin, upc, ean oder isbn", LQ_SHOP_GTIN},
    {"gtin", LQ_SHOP_GTIN},
    {"ean", LQ_SHOP_GTIN},
    {"upc", LQ_SHOP_GTIN},
    {"vendor", LQ_SHOP_BRAND},
    {"brand", LQ_SHOP_BRAND},
    {"brands", LQ_SHOP_BRAND},
    {"marke", LQ_SHOP_BRAND},
    {"marken", LQ_SHOP_BRAND},
    {"marques", LQ_SHOP_BRAND},
    {"marcas", LQ_SHOP_BRAND},
    {"variant price", LQ_SHOP_PRICE},
    {"price", LQ_SHOP_PRICE},
    {"regular price", LQ_SHOP_PRICE},
    {"regulärer preis", LQ_SHOP_PRICE},
    {"preis", LQ_SHOP_PRICE},
    {"tarif régulier", LQ_SHOP_PRICE},
    {"precio normal", LQ_SHOP_PRICE},
    {"sale price", LQ_SHOP_SALE},
    {"angebotspreis", LQ_SHOP_SALE},
    {"tarif promo", LQ_SHOP_SALE},
    {"precio rebajado", LQ_SHOP_SALE},
    {"currency", LQ_SHOP_CURRENCY},
    {"variant inventory qty", LQ_SHOP_STOCK},
    {"inventory quantity", LQ_SHOP_STOCK},
    {"stock", LQ_SHOP_STOCK},
    {"lager", LQ_SHOP_STOCK},
    {"bestand", LQ_SHOP_STOCK},
    {"inventario", LQ_SHOP_STOCK},
    {"in stock?", LQ_SHOP_IN_STOCK},
    {"vorrätig?", LQ_SHOP_IN_STOCK},
    {"en stock ?", LQ_SHOP_IN_STOCK},
    {"¿en inventario?", LQ_SHOP_IN_STOCK},
    {"variant inventory policy", LQ_SHOP_POLICY},
    {"continue selling when out of stock", LQ_SHOP_POLICY},
    {"url", LQ_SHOP_URL},
    {"link", LQ_SHOP_URL},
    {"permalink", LQ_SHOP_URL},
    {"external url", LQ_SHOP_URL},
    {"externe url", LQ_SHOP_URL},
    {"hex", LQ_SHOP_COLOR},
    {"hex code", LQ_SHOP_COLOR},
    {"color", LQ_SHOP_COLOR},
    {"colour", LQ_SHOP_COLOR},
    {"farbe", LQ_SHOP_COLOR},
    {"color code", LQ_SHOP_COLOR},
    {"colour code", LQ_SHOP_COLOR},
    {"tags", LQ_SHOP_TAGS},
    {"schlagwörter", LQ_SHOP_TAGS},
    {"body (html)", LQ_SHOP_DESCRIPTION},
    {"description", LQ_SHOP_DESCRIPTION},
    {"beschreibung", LQ_SHOP_DESCRIPTION},
    {"short description", LQ_SHOP_SHORT},
    {"kurzbeschreibung", LQ_SHOP_SHORT},
    {"status", LQ_SHOP_STATUS},
    {"published", LQ_SHOP_PUBLISHED},
    {"published on online store", LQ_SHOP_PUBLISHED},
    {"veröffentlicht", LQ_SHOP_PUBLISHED},
    {"publié", LQ_SHOP_PUBLISHED},
    {"publicado", LQ_SHOP_PUBLISHED},
};

// Parses "option1 value", "attribute 1 value(s)", "attribut 1 wert(e)" or the same with "name":
// returns the option's index from 0, or -1 if it is none of these.
static int option_number(const char *header, bool *is_value)
{
    int number = 0, len = 0;
    if (sscanf(header, "option%d %n", &number, &len) < 1 &&
        sscanf(header, "attribute %d %n", &number, &len) < 1 &&
        sscanf(header, "attribut %d %n", &number, &len) < 1)
        return -1;
    const char *half = header + len;
    *is_value = strncmp(half, "value", 5) == 0 || strncmp(half, "wert", 4) == 0;
    bool is_name = strncmp(half, "name", 4) == 0;
    bool counts = number >= 1 && number <= LQ_SHOP_OPTIONS_MAX;
    return (*is_value || is_name) && counts ? number - 1 : -1;
}

static bool may_hold_code(const char *header)
{
    static const char *const words[] = {"hex", "color", "colour", "farb", "swatch", "couleur"};
    for (size_t i = 0; i < LQ_COUNT(words); i++)
        if (strstr(header, words[i]))
            return true;
    return false;
}

static void read_header(struct lq_shop_columns *columns, const char *header, int at)
{
    bool is_value;
    int option = option_number(header, &is_value);
    if (option >= 0) {
        *(is_value ? &columns->option_value[option] : &columns->option_name[option]) = at;
        return;
    }
    for (size_t i = 0; i < LQ_COUNT(known); i++)
        if (strcmp(known[i].header, header) == 0) {
            int *place = &columns->at[known[i].column];
            *place = *place < 0 ? at : *place;
            return;
        }
    if (may_hold_code(header) && columns->code_count < LQ_SHOP_CODES_MAX)
        columns->codes[columns->code_count++] = at;
}

// Converts to lower case, including Latin-1 letters, and trims spaces.
static void lower(char *out, size_t size, const char *text)
{
    size_t len = 0;
    text += strspn(text, " \t\r\n");
    for (; *text && len + 1 < size; text++) {
        uint8_t byte = (uint8_t)*text;
        bool latin = len && (uint8_t)out[len - 1] == 0xc3 && byte >= 0x80 && byte <= 0x9e;
        out[len++] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : latin ? byte + 32 : byte);
    }
    while (len && out[len - 1] == ' ')
        len--;
    out[len] = 0;
}

bool lq_shop_columns_find(struct lq_shop_columns *columns, const struct lq_csv *csv)
{
    memset(columns, -1, sizeof *columns);
    columns->code_count = 0;
    for (int i = 0; i < csv->count; i++) {
        char header[128];
        lower(header, sizeof header, csv->fields[i]);
        read_header(columns, header, i);
    }
    const int *at = columns->at;
    return at[LQ_SHOP_HANDLE] >= 0 || at[LQ_SHOP_TITLE] >= 0 || at[LQ_SHOP_SKU] >= 0;
}

const char *lq_shop_field(const struct lq_csv *csv, int at)
{
    return at >= 0 && at < csv->count ? csv->fields[at] : "";
}

bool lq_shop_is_color_option(const char *name)
{
    static const char *const names[] = {"color", "colour", "shade", "farbe", "farbton", "couleur",
                                        "teinte", "tono", "colore", "kleur", "pa_color",
                                        "pa_colour", "pa_farbe"};
    char text[64];
    lower(text, sizeof text, name);
    for (size_t i = 0; i < LQ_COUNT(names); i++)
        if (strcmp(text, names[i]) == 0)
            return true;
    return false;
}
