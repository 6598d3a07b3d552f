#include "base/base64.h"

#include <string.h>
#include <strings.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int lq_base64_encode(const uint8_t *bytes, size_t len, struct lq_buf *out)
{
    if (len == 0)
        return LQ_OK;
    size_t at = out->len;
    int status = lq_buf_resize(out, at + lq_base64_size(len));
    if (status != LQ_OK)
        return status;
    char *text = (char *)out->data + at;
    size_t i = 0;
    for (; i + 3 <= len; i += 3, text += 4) {
        uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        text[0] = alphabet[three >> 18];
        text[1] = alphabet[three >> 12 & 63];
        text[2] = alphabet[three >> 6 & 63];
        text[3] = alphabet[three & 63];
    }
    if (i < len) {
        bool two = len - i == 2;
        uint32_t rest = (uint32_t)bytes[i] << 16 | (two ? (uint32_t)bytes[i + 1] << 8 : 0);
        text[0] = alphabet[rest >> 18];
        text[1] = alphabet[rest >> 12 & 63];
        text[2] = two ? alphabet[rest >> 6 & 63] : '=';
        text[3] = '=';
    }
    return LQ_OK;
}

enum { NOT_BASE64 = 0x80 };

// Value of a character, or NOT_BASE64. Accepts both alphabets of RFC 4648: + and /, - and _.
static const uint8_t values[256] = {
#define NO8 NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, \
    NOT_BASE64
    NO8, NO8, NO8, NO8, NO8,
    NOT_BASE64, NOT_BASE64, NOT_BASE64, 62, NOT_BASE64, 62, NOT_BASE64, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
    NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64,
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, 63, NOT_BASE64,
    26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49,
    50, 51,
    NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64,
    NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8,
#undef NO8
};

static int too_large(const struct lq_buf *out, int status, struct lq_error *err)
{
    return lq_fail(err, status, "picture is larger than %zu bytes", out->max);
}

// Decodes strict RFC 4648 with padding, the usual case. On failure returns false and leaves `out`
// unchanged.
static bool decode_plain(const char *text, size_t len, struct lq_buf *out)
{
    size_t at = out->len;
    size_t pad = text[len - 1] == '=' ? 1 + (text[len - 2] == '=') : 0;
    if (lq_buf_resize(out, at + len / 4 * 3) != LQ_OK)
        return false;
    const uint8_t *in = (const uint8_t *)text;
    uint8_t *bytes = out->data + at;
    // Collects errors by OR instead of a test per character, so that the loop has no branches.
    uint8_t wrong = 0;
    size_t whole = (len - (pad ? 4 : 0)) / 4;
    for (size_t i = 0; i < whole; i++, in += 4, bytes += 3) {
        uint8_t a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
        wrong |= a | b | c | d;
        bytes[0] = (uint8_t)(a << 2 | b >> 4);
        bytes[1] = (uint8_t)(b << 4 | c >> 2);
        bytes[2] = (uint8_t)(c << 6 | d);
    }
    if (pad) {
        uint8_t a = values[in[0]], b = values[in[1]], c = pad == 1 ? values[in[2]] : 0;
        wrong |= a | b | c;
        bytes[0] = (uint8_t)(a << 2 | b >> 4);
        if (pad == 1)
            bytes[1] = (uint8_t)(b << 4 | c >> 2);
    }
    out->len = wrong & NOT_BASE64 ? at : out->len - pad;
    return !(wrong & NOT_BASE64);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The character at text[*i], with "%2B" and the like decoded; *i moves to its last byte.
static char next_char(const char *text, size_t len, size_t *i)
{
    int high = text[*i] == '%' && *i + 2 < len ? hex_digit(text[*i + 1]) : -1;
    int low = high < 0 ? -1 : hex_digit(text[*i + 2]);
    if (low < 0)
        return text[*i];
    *i += 2;
    return (char)(high << 4 | low);
}

// A form that was not escaped has a space in place of each plus. Such text contains no plus; it is
// not the URL-safe alphabet, which has a minus; and its lines are not indented with spaces.
static bool blanks_are_pluses(const char *text, size_t len)
{
    const char *line = memchr(text, '\n', len);
    bool indented = line && line + 1 < text + len && line[1] == ' ';
    return !indented && memchr(text, ' ', len) && !memchr(text, '+', len) &&
           !memchr(text, '-', len);
}

// Decodes lenient base64: with line breaks, without padding, escaped, or with spaces for pluses.
// `bytes` has room for 3/4 of the text. Returns the number of bytes, or -1 with the error's
// position.
static ptrdiff_t decode_loose(const char *text, size_t len, uint8_t *bytes, size_t *wrong)
{
    bool pluses = blanks_are_pluses(text, len);
    uint8_t *out = bytes;
    uint32_t bits = 0;
    int chars = 0, pads = 0;
    for (size_t i = 0; i < len; i++) {
        *wrong = i;
        char c = next_char(text, len, &i);
        if (c == ' ' && pluses)
            c = '+';
        if (is_blank(c))
            continue;
        if (c == '=') {
            if (chars < 2 || ++pads > 4 - chars)
                return -1;
            continue;
        }
        uint8_t value = values[(uint8_t)c];
        if (pads || value == NOT_BASE64)
            return -1;
        bits = bits << 6 | value;
        if (++chars < 4)
            continue;
        *out++ = (uint8_t)(bits >> 16);
        *out++ = (uint8_t)(bits >> 8);
        *out++ = (uint8_t)bits;
        chars = 0;
    }
    *wrong = len;
    if (chars == 1)
        return -1;
    if (chars >= 2)
        *out++ = (uint8_t)(chars == 2 ? bits >> 4 : bits >> 10);
    if (chars == 3)
        *out++ = (uint8_t)(bits >> 2);
    return out - bytes;
}

int lq_base64_decode(const char *text, size_t len, struct lq_buf *out, struct lq_error *err)
{
    while (len > 0 && is_blank(*text))
        text++, len--;
    while (len > 0 && is_blank(text[len - 1]))
        len--;
    size_t at = out->len, wrong;
    if (len == 0 || (len % 4 == 0 && decode_plain(text, len, out)))
        return LQ_OK;
    int status = lq_buf_resize(out, at + len / 4 * 3 + len % 4 * 3 / 4);
    if (status != LQ_OK)
        return too_large(out, status, err);
    uint8_t *room = out->data ? out->data + at : NULL; // one character encodes no byte: NULL
    ptrdiff_t count = decode_loose(text, len, room, &wrong);
    out->len = at + (count < 0 ? 0 : (size_t)count);
    if (count >= 0)
        return LQ_OK;
    if (wrong == len)
        return lq_fail(err, LQ_ERR_SYNTAX, "picture's base64 is cut short");
    return lq_fail(err, LQ_ERR_SYNTAX, "picture is not valid base64 at character %zu", wrong + 1);
}

// ---- data URLs ---------------------------------------------------------------------------------

enum { MEDIA_TYPE_CHARS_MAX = 512 }; // before the comma

static bool begins(const char *text, size_t len, const char *word)
{
    return len >= strlen(word) && strncasecmp(text, word, strlen(word)) == 0;
}

// Whether the text before the comma ends in ";base64", ignoring spaces and case as the URL standard
// does.
static bool says_base64(const char *head, size_t len)
{
    static const char word[] = "base64";
    while (len > 0 && is_blank(head[len - 1]))
        len--;
    if (len < sizeof word - 1 || !begins(head + len - (sizeof word - 1), sizeof word - 1, word))
        return false;
    len -= sizeof word - 1;
    while (len > 0 && is_blank(head[len - 1]))
        len--;
    return len > 0 && head[len - 1] == ';';
}

// Sending the picture's address is a common mistake that deserves a better error than "not valid".
static bool is_address(const char *text, size_t len)
{
    return begins(text, len, "blob:") || begins(text, len, "http:") ||
           begins(text, len, "https:") || begins(text, len, "file:");
}

int lq_data_url_parse(const char *text, size_t len, struct lq_data_url *url, struct lq_error *err)
{
    while (len > 0 && is_blank(*text))
        text++, len--;
    *url = (struct lq_data_url){.base64 = text, .base64_len = len};
    if (is_address(text, len))
        return lq_fail(err, LQ_ERR_SYNTAX, "image is an address: send the picture itself");
    // Search only as far as a media type may reach: base64 itself contains no comma.
    const char *comma = memchr(text, ',', len < MEDIA_TYPE_CHARS_MAX ? len : MEDIA_TYPE_CHARS_MAX);
    bool is_url = begins(text, len, "data:");
    if (!is_url && !comma)
        return LQ_OK;
    if (!comma)
        return lq_fail(err, LQ_ERR_SYNTAX, "image is a data URL without a comma");
    size_t head = (size_t)(comma - text);
    if (!says_base64(text, head))
        return lq_fail(err, LQ_ERR_SYNTAX, "image is a data URL without ';base64': only base64 is "
                                           "read, no percent-encoding");
    url->is_url = is_url;
    url->base64 = comma + 1;
    url->base64_len = len - head - 1;
    return LQ_OK;
}
