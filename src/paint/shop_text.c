#include "paint/shop_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void lq_shop_copy(char *out, size_t size, const char *text)
{
    text += strspn(text, " \t\r\n");
    size_t len = strlen(text);
    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    if (len >= size)
        for (len = size - 1; len && ((uint8_t)text[len] & 0xc0) == 0x80;)
            len--;
    memcpy(out, text, len);
    out[len] = 0;
}

// ---- prices ------------------------------------------------------------------------------------

static void find_currency(const char *text, char currency[4])
{
    static const char *const signs[][2] = {{"\xe2\x82\xac", "EUR"}, {"\xc2\xa3", "GBP"},
                                           {"US$", "USD"}, {"$", "USD"}, {"\xc2\xa5", "JPY"},
                                           {"z\xc5\x82", "PLN"}};
    for (const char *at = text; *at; at++) {
        size_t letters = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (letters == 3) {
            snprintf(currency, 4, "%.3s", at);
            return;
        }
        at += letters ? letters - 1 : 0;
    }
    for (size_t i = 0; i < LQ_COUNT(signs); i++)
        if (strstr(text, signs[i][0])) {
            strcpy(currency, signs[i][1]);
            return;
        }
}

// The start of the decimals: after the last mark, unless three digits follow it and the other mark
// does not occur. NULL: no decimals.
static const char *find_decimals(const char *number, size_t len)
{
    const char *last = NULL;
    int marks = 0;
    bool both = memchr(number, '.', len) && memchr(number, ',', len);
    for (size_t i = 0; i < len; i++)
        if (number[i] == '.' || number[i] == ',') {
            marks++;
            last = number + i;
        }
    size_t behind = last ? len - (size_t)(last + 1 - number) : 0;
    bool is_group = behind == 3 && !both;
    return last && !is_group && (marks == 1 || both) ? last + 1 : NULL;
}

bool lq_shop_price(const char *text, char price[16], char currency[4])
{
    const char *at = text + strcspn(text, "-0123456789");
    at -= at > text && (at[-1] == '.' || at[-1] == ',');
    // Accepts spaces, including those of French numbers (UTF-8), and the Swiss apostrophe.
    size_t len = strspn(at, "0123456789.,' \xc2\xa0\xe2\x80\xaf\x99");
    while (len && !isdigit((unsigned char)at[len - 1]))
        len--;
    if (!len || *at == '-')
        return false;
    find_currency(text, currency);
    const char *decimals = find_decimals(at, len), *end = at + len;
    char whole[12], cents[3] = "00";
    size_t digits = 0, places = 0;
    for (; at < (decimals ? decimals - 1 : end); at++)
        if (isdigit((unsigned char)*at) && digits + 1 < sizeof whole)
            whole[digits++] = *at;
    for (at = decimals; at && at < end && places < 2; at++)
        if (isdigit((unsigned char)*at))
            cents[places++] = *at;
    whole[digits] = 0;
    const char *first = whole + strspn(whole, "0");
    snprintf(price, 16, "%s.%s", *first ? first : "0", cents);
    return true;
}

// ---- article numbers ---------------------------------------------------------------------------

enum lq_gtin lq_shop_gtin(const char *text, char gtin[16])
{
    char digits[16];
    int len = 0, sum = 0;
    bool rounded = strpbrk(text, "eE+") && strpbrk(text, "0123456789");
    for (; *text; text++)
        if (isdigit((unsigned char)*text) && len < 15)
            digits[len++] = *text;
        else if (!strchr(" -'\t", *text))
            return rounded ? LQ_GTIN_ROUNDED : LQ_GTIN_LENGTH;
    if (len == 0)
        return LQ_GTIN_NONE;
    if (len != 8 && (len < 12 || len > 14))
        return LQ_GTIN_LENGTH;
    // GS1 General Specifications, 7.9: weights 3 and 1 alternate from the right, without the check
    // digit.
    for (int i = 0; i < len - 1; i++)
        sum += (digits[len - 2 - i] - '0') * (i % 2 ? 1 : 3);
    if ((10 - sum % 10) % 10 != digits[len - 1] - '0')
        return LQ_GTIN_DIGIT;
    snprintf(gtin, 16, "%.*s", len, digits);
    return LQ_GTIN_GOOD;
}

// ---- colours -----------------------------------------------------------------------------------

static size_t hex_digits(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF");
}

static bool parse_hex(const char *text, size_t len, uint8_t color[3])
{
    char copy[8];
    snprintf(copy, sizeof copy, "%.*s", (int)len, text);
    return (len == 3 || len == 6) && lq_color_parse(copy, color);
}

bool lq_shop_hex(const char *text, bool bare, uint8_t color[3])
{
    char trimmed[16];
    lq_shop_copy(trimmed, sizeof trimmed, text);
    if (bare && hex_digits(trimmed) == strlen(trimmed) && strlen(trimmed) == 6)
        return parse_hex(trimmed, 6, color);
    for (bool tag = false; *text; text++) {
        tag = *text == '<' || (tag && *text != '>');
        size_t len = *text == '#' && !tag ? hex_digits(text + 1) : 0;
        // "#1234" and "#abcdef0" are not colours.
        if (len && !isalnum((unsigned char)text[1 + len]) && parse_hex(text + 1, len, color))
            return true;
    }
    return false;
}

bool lq_shop_color_name(const struct lq_catalogue *catalogue, const char *text, uint8_t color[3])
{
    int count;
    char name[LQ_LOOK_NAME_MAX];
    const struct lq_shade_name *shades = lq_catalogue_shades(catalogue, &count);
    lq_shop_copy(name, sizeof name, text);
    for (int i = 0; *name && i < count; i++)
        if (strcasecmp(shades[i].title, name) == 0 || strcasecmp(shades[i].name, name) == 0) {
            memcpy(color, shades[i].color, 3);
            return true;
        }
    // Accepts names only: "123" and "bad" are hex digits, but nobody means them as colours.
    return strlen(name) != hex_digits(name) && *name != '#' && lq_color_parse(name, color);
}

void lq_shop_title(char *out, size_t size, const char *text)
{
    char copy[256], rest[256];
    lq_shop_copy(copy, sizeof copy, text);
    char *at = strchr(copy, '#');
    size_t len = at ? hex_digits(at + 1) : 0;
    if (len == 3 || len == 6) {
        const char *behind = at + 1 + len;
        lq_shop_copy(rest, sizeof rest, behind + strspn(behind, ") "));
        while (at > copy && strchr(" (,;:-", at[-1]))
            at--;
        snprintf(at, sizeof copy - (size_t)(at - copy), "%s%s", *rest && at > copy ? " " : "",
                 rest);
    }
    lq_shop_copy(out, size, copy);
}

// ---- names -------------------------------------------------------------------------------------

// The letters U+00C0 to U+017F (Latin-1, Latin Extended-A) without diacritics.
static char plain_letter(unsigned code)
{
    static const char letters[] =
        "aaaaaaaceeeeiiiidnooooo-ouuuuytsaaaaaaaceeeeiiiidnooooo-ouuuuyty"
        "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
        "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
    return code >= 0xc0 && code < 0xc0 + sizeof letters - 1 ? letters[code - 0xc0] : '-';
}

void lq_shop_slug(const char *text, char name[LQ_LOOK_NAME_MAX])
{
    size_t len = 0;
    for (const uint8_t *at = (const uint8_t *)text; *at && len + 1 < LQ_LOOK_NAME_MAX; at++) {
        if ((*at & 0xc0) == 0x80)
            continue; // continuation byte
        char letter = *at < 0x80 ? (char)tolower(*at)
                      : *at >> 5 == 6 ? plain_letter((*at & 0x1fu) << 6 | (at[1] & 0x3fu)) : '-';
        if (!isalnum((unsigned char)letter))
            letter = '-';
        if (letter != '-' || (len && name[len - 1] != '-'))
            name[len++] = letter;
    }
    while (len && name[len - 1] == '-')
        len--;
    name[len] = 0;
}
