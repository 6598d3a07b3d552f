#include "base/base64.h"

#include <string.h>

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

// A character's six bits, or NOT_BASE64.
static const uint8_t values[256] = {
#define NO8 NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, \
    NOT_BASE64
    NO8, NO8, NO8, NO8, NO8,
    NOT_BASE64, NOT_BASE64, NOT_BASE64, 62, NOT_BASE64, NOT_BASE64, NOT_BASE64, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
    NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64,
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64,
    26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49,
    50, 51,
    NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64, NOT_BASE64,
    NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8,
#undef NO8
};

static int bad(struct lq_buf *out, size_t at, struct lq_error *err)
{
    out->len = at;
    return lq_fail(err, LQ_ERR_SYNTAX, "picture is not valid base64");
}

int lq_base64_decode(const char *text, size_t len, struct lq_buf *out, struct lq_error *err)
{
    if (len == 0)
        return LQ_OK;
    size_t at = out->len;
    if (len % 4 != 0)
        return bad(out, at, err);
    size_t pad = text[len - 1] == '=' ? 1 + (text[len - 2] == '=') : 0;
    int status = lq_buf_resize(out, at + len / 4 * 3);
    if (status != LQ_OK)
        return lq_fail(err, status, "picture is larger than %zu bytes", out->max);
    const uint8_t *in = (const uint8_t *)text;
    uint8_t *bytes = out->data + at;
    // Every character's value is or-ed together, so that the loop itself has no branch to miss.
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
    if (wrong & NOT_BASE64)
        return bad(out, at, err);
    out->len -= pad;
    return LQ_OK;
}

int lq_data_url_parse(const char *text, size_t len, struct lq_data_url *url, struct lq_error *err)
{
    *url = (struct lq_data_url){.base64 = text, .base64_len = len};
    if (len < 5 || strncmp(text, "data:", 5) != 0)
        return LQ_OK;
    // The media type before the comma is short; a picture's own text holds no comma.
    static const char marker[] = ";base64";
    const char *comma = memchr(text, ',', len < 256 ? len : 256);
    size_t head = comma ? (size_t)(comma - text) : 0;
    if (head < sizeof marker - 1 ||
        strncmp(comma - (sizeof marker - 1), marker, sizeof marker - 1) != 0)
        return lq_fail(err, LQ_ERR_SYNTAX, "image is a data URL without ';base64,'");
    url->is_url = true;
    url->base64 = comma + 1;
    url->base64_len = len - head - 1;
    return LQ_OK;
}
