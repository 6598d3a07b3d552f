#include "serve/sched/cost.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/limits.h"
#include "image/codec.h"
#include "image/jpeg_map.h"

// Initial estimates: those of a slow processor.
static const double megapixel_guess_us = 30000, pass_guess_us = 20000;

// ---- the header ---------------------------------------------------------------------------------

static uint64_t jpeg_pixels(const uint8_t *bytes, size_t len)
{
    struct lq_jpeg_map map;
    lq_jpeg_map_read(&map, bytes, len);
    uint64_t pixels = (uint64_t)map.width * (uint64_t)map.height;
    return pixels ? pixels : LQ_FRAME_PIXELS_MAX;
}

static uint64_t big_endian(const uint8_t *bytes)
{
    return (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 8 | bytes[3];
}

// Reads a PNG's size: eight bytes of signature, then IHDR: length, name, width, height.
static uint64_t png_pixels(const uint8_t *bytes, size_t len)
{
    if (len < 24)
        return LQ_FRAME_PIXELS_MAX;
    uint64_t pixels = big_endian(bytes + 16) * big_endian(bytes + 20);
    return pixels ? pixels : LQ_FRAME_PIXELS_MAX;
}

uint64_t lq_cost_pixels(const uint8_t *bytes, size_t len)
{
    enum lq_picture_kind kind = lq_picture_sniff(bytes, len);
    uint64_t pixels = kind == LQ_PICTURE_JPEG  ? jpeg_pixels(bytes, len)
                      : kind == LQ_PICTURE_PNG ? png_pixels(bytes, len)
                                               : 0;
    // Larger pictures are not decoded at all.
    return pixels > LQ_FRAME_PIXELS_MAX ? 0 : pixels;
}

static const uint8_t *find(const uint8_t *bytes, size_t len, const char *what, size_t what_len)
{
    return bytes ? memmem(bytes, len, what, what_len) : NULL;
}

// A byte string to search for.
struct mark {
    const char *text;
    size_t len;
};

static const uint8_t *find_first(const uint8_t *bytes, size_t len, const struct mark *marks,
                                 size_t count)
{
    const uint8_t *first = NULL;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = find(bytes, len, marks[i].text, marks[i].len);
        if (at && (!first || at < first))
            first = at;
    }
    return first;
}

// Reads one base64 letter at *at, as JSON and urlencoded forms may write it, and moves *at past it;
// 0 at the end.
static char base64_letter(const uint8_t **at, const uint8_t *end)
{
    size_t left = (size_t)(end - *at);
    if (left >= 2 && memcmp(*at, "\\/", 2) == 0) {
        *at += 2;
        return '/';
    }
    if (left >= 3 && (strncasecmp((const char *)*at, "%2f", 3) == 0 ||
                      strncasecmp((const char *)*at, "%2b", 3) == 0)) {
        char letter = ((*at)[2] | 0x20) == 'f' ? '/' : '+';
        *at += 3;
        return letter;
    }
    uint8_t letter = left ? **at : 0;
    bool is_one = letter == '+' || letter == '/' || (letter >= '0' && letter <= '9') ||
                  (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
    *at += is_one;
    return is_one ? (char)letter : 0;
}

// Number of pixels of a picture that begins here as base64.
static uint64_t base64_pixels(const uint8_t *at, const uint8_t *end)
{
    struct lq_buf letters, head;
    uint64_t pixels = LQ_FRAME_PIXELS_MAX;
    lq_buf_init(&letters, LQ_COST_HEAD_BYTES);
    lq_buf_init(&head, LQ_COST_HEAD_BYTES);
    int status = LQ_OK;
    for (char letter; status == LQ_OK && letters.len < LQ_COST_HEAD_BYTES &&
                      (letter = base64_letter(&at, end)) != 0;)
        status = lq_buf_append(&letters, &letter, 1);
    size_t count = letters.len / 4 * 4;
    if (status == LQ_OK && count > 0 &&
        lq_base64_decode((const char *)letters.data, count, &head, NULL) == LQ_OK)
        pixels = lq_cost_pixels(head.data, head.len);
    lq_buf_release(&letters);
    lq_buf_release(&head);
    return pixels;
}

// The first letters of both kinds of picture in base64.
static const struct mark text_marks[] = {{"/9j/", 4},     {"/9j\\/", 5},   {"/9j%2", 5},
                                         {"%2F9j%2", 7}, {"%2f9j%2", 7}, {"iVBORw0K", 8}};

static uint64_t text_pixels(const uint8_t *bytes, size_t len)
{
    const uint8_t *at = find_first(bytes, len, text_marks, LQ_COUNT(text_marks));
    // Encoded in a way that only the worker reads: assume the maximum.
    return at ? base64_pixels(at, bytes + len) : LQ_FRAME_PIXELS_MAX;
}

// Whether a urlencoded body percent-encodes a letter of a field's name. No client does so, and it
// would hide "multiscale" or "image".
static bool hides_letters(const struct lq_buf *body)
{
    const uint8_t *at = body->data, *end = at + body->len;
    while ((at = memchr(at, '%', (size_t)(end - at))) != NULL && end - at >= 3) {
        // %61 to %6f are letters. Of %70 to %7f only r to u occur in "multiscale" and its alias
        // "closer"; { and } must be allowed, because they occur in a look's JSON.
        if ((at[1] == '6' && at[2] != '0') || (at[1] == '7' && at[2] >= '2' && at[2] <= '5'))
            return true;
        at++;
    }
    return false;
}

// Whether a value's base64 begins at `at`: the value's first letter, or after a data URL's head.
static bool begins_base64(const uint8_t *value, const uint8_t *at)
{
    static const struct mark heads[] = {{"base64,", 7}, {"base64%2C", 9}, {"base64%2c", 9}};
    bool begins = at == value;
    for (size_t i = 0; i < LQ_COUNT(heads) && !begins; i++)
        begins = (size_t)(at - value) >= heads[i].len &&
                 memcmp(at - heads[i].len, heads[i].text, heads[i].len) == 0;
    return begins;
}

// Pixels of a urlencoded body's picture. The last `image` field counts.
static uint64_t urlencoded_pixels(const struct lq_buf *body)
{
    const uint8_t *at = body->data, *end = at + body->len, *image = NULL;
    if (hides_letters(body))
        return LQ_FRAME_PIXELS_MAX;
    while ((at = find(at, (size_t)(end - at), "image=", 6)) != NULL) {
        if (at == body->data || at[-1] == '&')
            image = at + 6;
        at += 6;
    }
    size_t len = image ? (size_t)(end - image) : 0;
    enum { BEFORE_BYTES = 128 }; // "data:image/jpeg;base64,"
    size_t near = len < BEFORE_BYTES ? len : BEFORE_BYTES;
    const uint8_t *start = image ? find_first(image, near, text_marks, LQ_COUNT(text_marks)) : NULL;
    bool known = start && begins_base64(image, start);
    return !image ? 0 : known ? base64_pixels(start, end) : LQ_FRAME_PIXELS_MAX;
}

// Pixels of the picture in a form, which may be bytes or text.
static uint64_t multipart_pixels(const uint8_t *bytes, size_t len)
{
    static const struct mark marks[] = {{"\xff\xd8\xff", 3}, {"\x89PNG\r\n\x1a\n", 8}};
    const uint8_t *at = find_first(bytes, len, marks, LQ_COUNT(marks));
    return at ? lq_cost_pixels(at, (size_t)(bytes + len - at)) : text_pixels(bytes, len);
}

static uint64_t pixels_of(const struct lq_frame_slot *slot)
{
    const struct lq_frame_request *request = &slot->request;
    const struct lq_buf *from = request->has_attachment ? &slot->attachment : &slot->body;
    size_t skip = request->has_attachment ? 0 : request->picture_at, len = from->len;
    if (len <= skip)
        return 0;
    const uint8_t *bytes = from->data + skip;
    len -= skip;
    if (len > LQ_COST_HEAD_BYTES)
        len = LQ_COST_HEAD_BYTES;
    if (request->has_attachment)
        return request->attachment_base64 ? base64_pixels(bytes, bytes + len)
                                      : lq_cost_pixels(bytes, len);
    switch (request->body_form) {
    case LQ_BODY_PICTURE:
        return lq_cost_pixels(bytes, len);
    case LQ_BODY_MULTIPART:
        return multipart_pixels(bytes, len);
    case LQ_BODY_URLENCODED:
        return urlencoded_pixels(&slot->body);
    default:
        return text_pixels(bytes, len);
    }
}

// ---- how many passes it asks for ---------------------------------------------------------------

static bool names_either(const uint8_t *bytes, size_t len)
{
    return find(bytes, len, "multiscale", 10) || find(bytes, len, "closer", 6);
}

// Looks for the field "multiscale" in a form before and after its picture. If it is hidden
// elsewhere, the worker detects that (work.c), except in a urlencoded body, which can be read only
// once and is therefore searched completely.
static bool names_multiscale(const struct lq_frame_slot *slot)
{
    const struct lq_buf *body = &slot->body;
    bool once = slot->request.body_form == LQ_BODY_URLENCODED;
    size_t head = once || body->len < LQ_COST_HEAD_BYTES ? body->len : LQ_COST_HEAD_BYTES;
    if (body->len == 0)
        return false;
    return names_either(body->data, head) ||
           names_either(body->data + body->len - head, head) || (once && hides_letters(body));
}

struct lq_cost_peek lq_cost_peek(const struct lq_frame_slot *slot)
{
    bool multiscale = !slot->request.live && slot->request.body_form != LQ_BODY_PICTURE &&
                  slot->request.body_form != LQ_BODY_EVENT && names_multiscale(slot);
    return (struct lq_cost_peek){pixels_of(slot), multiscale ? LQ_COST_PASSES : 1};
}

enum lq_turn_kind lq_cost_kind(const struct lq_cost_peek *peek, bool live)
{
    if (peek->passes > 1 || peek->pixels > LQ_TURNS_LIGHT_PIXELS)
        return LQ_TURN_HEAVY;
    return live ? LQ_TURN_LIVE : LQ_TURN_LIGHT;
}

// ---- what it has cost ---------------------------------------------------------------------------

void lq_cost_init(struct lq_cost *cost)
{
    *cost = (struct lq_cost){.megapixel_us = megapixel_guess_us, .pass_us = pass_guess_us};
    pthread_mutex_init(&cost->lock, NULL);
}

void lq_cost_release(struct lq_cost *cost)
{
    pthread_mutex_destroy(&cost->lock);
}

uint64_t lq_cost_us(struct lq_cost *cost, const struct lq_cost_peek *peek)
{
    pthread_mutex_lock(&cost->lock);
    double us = cost->megapixel_us * (double)peek->pixels / 1e6 + cost->pass_us * peek->passes;
    pthread_mutex_unlock(&cost->lock);
    return (uint64_t)us;
}

// Moves the estimate halfway to each new value, so that a change takes a few pictures to show. The
// first value is used directly.
static void approach(double *value, double seen, bool learned)
{
    *value = learned ? (*value + seen) / 2 : seen;
}

void lq_cost_learn(struct lq_cost *cost, const struct lq_cost_seen *seen)
{
    enum { SMALL_PIXELS = 100000 }; // smaller pictures do not show a megapixel's time
    pthread_mutex_lock(&cost->lock);
    if (seen->pixels >= SMALL_PIXELS)
        approach(&cost->megapixel_us, (double)seen->pixels_us * 1e6 / (double)seen->pixels,
                 cost->learned);
    if (seen->passes > 0)
        approach(&cost->pass_us, (double)seen->passes_us / seen->passes, cost->learned);
    cost->learned = true;
    pthread_mutex_unlock(&cost->lock);
}
