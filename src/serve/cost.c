#include "serve/cost.h"

#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "image/codec.h"
#include "image/jpeg_map.h"

// Before anything is learned: a modest processor.
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

// PNG: eight bytes of signature, then IHDR: length, name, width, height.
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
    // Of more than may be nothing is decoded at all.
    return pixels > LQ_FRAME_PIXELS_MAX ? 0 : pixels;
}

static const uint8_t *find(const uint8_t *bytes, size_t len, const char *what, size_t what_len)
{
    return memmem(bytes, len, what, what_len);
}

// A picture's bytes somewhere in a form.
static uint64_t binary_pixels(const uint8_t *bytes, size_t len, bool *found)
{
    const uint8_t *jpeg = find(bytes, len, "\xff\xd8\xff", 3);
    const uint8_t *png = find(bytes, len, "\x89PNG\r\n\x1a\n", 8);
    const uint8_t *at = jpeg && (!png || jpeg < png) ? jpeg : png;
    *found = at != NULL;
    return at ? lq_cost_pixels(at, (size_t)(bytes + len - at)) : 0;
}

// Letters of base64 from `at` on, four by four.
static size_t base64_len(const uint8_t *at, size_t len)
{
    size_t count = 0;
    while (count < len && (at[count] == '+' || at[count] == '/' ||
                           (at[count] >= '0' && at[count] <= '9') ||
                           (at[count] >= 'A' && at[count] <= 'Z') ||
                           (at[count] >= 'a' && at[count] <= 'z')))
        count++;
    return count / 4 * 4;
}

// A picture as text, by what the signatures of both kinds begin with in base64.
static uint64_t text_pixels(const uint8_t *bytes, size_t len)
{
    const uint8_t *jpeg = find(bytes, len, "/9j/", 4), *png = find(bytes, len, "iVBORw0K", 8);
    const uint8_t *at = jpeg && (!png || jpeg < png) ? jpeg : png;
    struct lq_buf head;
    uint64_t pixels = LQ_FRAME_PIXELS_MAX; // written in a way that only the worker reads
    if (!at)
        return pixels;
    lq_buf_init(&head, LQ_COST_HEAD_BYTES);
    size_t count = base64_len(at, (size_t)(bytes + len - at));
    if (lq_base64_decode((const char *)at, count, &head, NULL) == LQ_OK)
        pixels = lq_cost_pixels(head.data, head.len);
    lq_buf_release(&head);
    return pixels;
}

static uint64_t pixels_of(const struct lq_slot *slot)
{
    const struct lq_ask *ask = &slot->ask;
    const struct lq_buf *from = ask->has_attachment ? &slot->attachment : &slot->body;
    size_t skip = ask->has_attachment ? 0 : ask->picture_at, len = from->len;
    if (len <= skip)
        return 0;
    const uint8_t *bytes = from->data + skip;
    len -= skip;
    if (len > LQ_COST_HEAD_BYTES)
        len = LQ_COST_HEAD_BYTES;
    if (ask->has_attachment && !ask->attachment_base64)
        return lq_cost_pixels(bytes, len);
    if (!ask->has_attachment && ask->body_form == LQ_BODY_PICTURE)
        return lq_cost_pixels(bytes, len);
    bool found = false;
    uint64_t pixels = 0;
    if (ask->body_form == LQ_BODY_MULTIPART)
        pixels = binary_pixels(bytes, len, &found);
    return found ? pixels : text_pixels(bytes, len);
}

// ---- how often it is looked at ------------------------------------------------------------------

// A form says "closer" before its picture or behind it. Who hides it elsewhere is found out by the
// worker (work.c), but for a urlencoded body, which can be read only once: there any letter that is
// written as a number counts, which no picture's base64 has.
static bool names_closer(const struct lq_slot *slot)
{
    const struct lq_buf *body = &slot->body;
    bool once = slot->ask.body_form == LQ_BODY_URLENCODED;
    size_t head = once || body->len < LQ_COST_HEAD_BYTES ? body->len : LQ_COST_HEAD_BYTES;
    if (body->len == 0)
        return false;
    return find(body->data, head, "closer", 6) ||
           find(body->data + body->len - head, head, "closer", 6) ||
           (once && (find(body->data, head, "%6", 2) || find(body->data, head, "%7", 2)));
}

struct lq_cost_peek lq_cost_peek(const struct lq_slot *slot)
{
    bool closer = !slot->ask.live && slot->ask.body_form != LQ_BODY_PICTURE &&
                  slot->ask.body_form != LQ_BODY_EVENT && names_closer(slot);
    return (struct lq_cost_peek){pixels_of(slot), closer ? LQ_COST_PASSES : 1};
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

// Halfway with each picture: a few to believe a change. The first is believed at once.
static void approach(double *value, double seen, bool learned)
{
    *value = learned ? (*value + seen) / 2 : seen;
}

void lq_cost_learn(struct lq_cost *cost, const struct lq_cost_seen *seen)
{
    enum { SMALL_PIXELS = 100000 }; // of fewer the time tells nothing of a megapixel's
    pthread_mutex_lock(&cost->lock);
    if (seen->pixels >= SMALL_PIXELS)
        approach(&cost->megapixel_us, (double)seen->pixels_us * 1e6 / (double)seen->pixels,
                 cost->learned);
    if (seen->passes > 0)
        approach(&cost->pass_us, (double)seen->passes_us / seen->passes, cost->learned);
    cost->learned = true;
    pthread_mutex_unlock(&cost->lock);
}
