#include "image/jpeg_map.h"

#include <string.h>

enum {
    SOF0 = 0xc0, SOF2 = 0xc2, DHT = 0xc4, JPG = 0xc8, SOF10 = 0xca, DAC = 0xcc, SOF15 = 0xcf,
    RST0 = 0xd0, RST7 = 0xd7, EOI = 0xd9, SOS = 0xda, DQT = 0xdb, DRI = 0xdd,
    APP0 = 0xe0, APP1 = 0xe1, APP2 = 0xe2, APP14 = 0xee, APP15 = 0xef, COM = 0xfe, TEM = 0x01,
    COEFFICIENTS = 64, UNSENT = 0xff,
};

static const char EXIF_NAME[6] = "Exif\0";          // including the literal's own NUL
static const char ICC_NAME[12] = "ICC_PROFILE";

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

struct segment {
    int code;
    const uint8_t *gap; // bytes skipped before the marker: a scan's data, or junk
    size_t gap_len;
    const uint8_t *body;
    size_t body_len;
};

static bool code_has_body(int code)
{
    return code != TEM && !(code >= RST0 && code <= EOI);
}

// Finds the next marker other than byte stuffing and restart markers; false at the end of the data.
static bool next_marker(struct reader *reader, struct segment *segment)
{
    segment->gap = reader->at;
    for (;;) {
        size_t left = (size_t)(reader->end - reader->at);
        const uint8_t *mark = left ? memchr(reader->at, 0xff, left) : NULL;
        if (!mark)
            break;
        const uint8_t *code = mark;
        while (code < reader->end && *code == 0xff)
            code++;
        if (code == reader->end)
            break;
        reader->at = code + 1;
        if (*code == 0 || (*code >= RST0 && *code <= RST7))
            continue;
        segment->code = *code;
        segment->gap_len = (size_t)(mark - segment->gap);
        return true;
    }
    reader->at = reader->end;
    segment->gap_len = (size_t)(reader->end - segment->gap);
    return false;
}

static bool next_segment(struct reader *reader, struct segment *segment)
{
    if (!next_marker(reader, segment))
        return false;
    segment->body = reader->at;
    segment->body_len = 0;
    if (!code_has_body(segment->code))
        return true;
    size_t left = (size_t)(reader->end - reader->at);
    size_t size = left < 2 ? 0 : (size_t)reader->at[0] << 8 | reader->at[1];
    if (size < 2 || size > left)
        return false;
    segment->body = reader->at + 2;
    segment->body_len = size - 2;
    reader->at += size;
    return true;
}

struct frame {
    uint8_t ids[4];
    unsigned covered;                // a bit for each component
    uint8_t low[4][COEFFICIENTS];    // the lowest bit sent so far of each coefficient
};

static void map_frame(struct lq_jpeg_map *map, struct frame *frame, const struct segment *segment)
{
    const uint8_t *body = segment->body;
    if (map->process || segment->body_len < 6)
        return;
    map->process = segment->code;
    map->precision = body[0];
    map->height = body[1] << 8 | body[2];
    map->width = body[3] << 8 | body[4];
    map->components = body[5];
    for (size_t i = 0; i < 4 && i < body[5] && 6 + 3 * i < segment->body_len; i++)
        frame->ids[i] = body[6 + 3 * i];
}

static bool is_progressive(const struct lq_jpeg_map *map)
{
    return map->process == SOF2 || map->process == SOF10;
}

// A sequential scan sends all bits of all coefficients of its components.
static void map_component(const struct lq_jpeg_map *map, struct frame *frame, int component,
                          const uint8_t *band)
{
    int first = is_progressive(map) ? band[0] : 0, last = is_progressive(map) ? band[1] : 63;
    if (first == 0 && (!is_progressive(map) || band[2] >> 4 == 0))
        frame->covered |= 1u << component;
    for (int k = first; k <= last && k < COEFFICIENTS; k++)
        frame->low[component][k] = is_progressive(map) ? band[2] & 15 : 0;
}

static void map_scan(struct lq_jpeg_map *map, struct frame *frame, const struct segment *segment)
{
    const uint8_t *body = segment->body;
    map->scans++;
    size_t count = segment->body_len ? body[0] : 0;
    if (segment->body_len < 1 + 2 * count + 3)
        return;
    const uint8_t *band = body + 1 + 2 * count; // first and last coefficient; high and low bit
    for (size_t i = 0; i < count; i++) {
        for (int c = 0; c < 4 && c < map->components; c++) {
            if (frame->ids[c] == body[1 + 2 * i])
                map_component(map, frame, c, band);
        }
    }
}

static bool everything_sent(const struct lq_jpeg_map *map, const struct frame *frame)
{
    if (map->components < 1 || map->components > 4)
        return false;
    for (int c = 0; c < map->components; c++) {
        for (int k = 0; k < COEFFICIENTS; k++) {
            if (frame->low[c][k])
                return false;
        }
    }
    return true;
}

// After a complete picture only these segments still belong to it, and only without a gap between
// them; a progressive picture may still be refined. Anything else is foreign data.
static bool belongs(const struct lq_jpeg_map *map, const struct segment *segment, bool in_scan)
{
    int code = segment->code;
    if (!in_scan && segment->gap_len)
        return false;
    if (code == EOI || code == COM || (code >= APP0 && code <= APP15))
        return true;
    return is_progressive(map) && (code == SOS || code == DHT || code == DQT || code == DRI ||
                                   code == DAC);
}

static bool body_starts(const struct segment *segment, const char *name, size_t len)
{
    return segment->body_len >= len && memcmp(segment->body, name, len) == 0;
}

static void map_application(struct lq_jpeg_map *map, const struct segment *segment)
{
    const uint8_t *body = segment->body;
    if (segment->code == APP1 && !map->exif && body_starts(segment, EXIF_NAME, 6)) {
        map->exif = body;
        map->exif_len = segment->body_len;
    } else if (segment->code == APP2 && body_starts(segment, ICC_NAME, 12) &&
               segment->body_len >= 14) {
        map->icc_parts = body[13];
        map->icc[body[12]].bytes = body + 14;
        map->icc[body[12]].len = segment->body_len - 14;
    } else if (segment->code == APP14 && body_starts(segment, "Adobe", 5)) {
        map->adobe = true;
    }
}

static void map_segment(struct lq_jpeg_map *map, struct frame *frame,
                        const struct segment *segment)
{
    int code = segment->code;
    if (code == EOI)
        map->ended = true;
    else if (code == SOS)
        map_scan(map, frame, segment);
    else if (code >= SOF0 && code <= SOF15 && code != DHT && code != JPG && code != DAC)
        map_frame(map, frame, segment);
    else
        map_application(map, segment);
}

void lq_jpeg_map_read(struct lq_jpeg_map *map, const uint8_t *bytes, size_t len)
{
    *map = (struct lq_jpeg_map){.bytes = bytes, .len = len};
    struct frame frame = {0};
    memset(frame.low, UNSENT, sizeof frame.low);
    struct reader reader = {bytes, bytes + len};
    struct segment segment = {0};
    bool in_scan = false, sent = false, going = true;
    int scans = 0;
    while (going && !map->ended) {
        going = next_segment(&reader, &segment);
        if (in_scan) {
            map->scan = segment.gap;
            map->scan_len = segment.gap_len;
        }
        if (sent && !map->whole) {
            map->whole = segment.gap + segment.gap_len;
            scans = map->scans;
        }
        going = going && (!map->whole || belongs(map, &segment, in_scan));
        in_scan = going && segment.code == SOS;
        if (going)
            map_segment(map, &frame, &segment);
        sent = sent || (in_scan && everything_sent(map, &frame));
    }
    if (map->whole && !map->ended)
        map->scans = scans;
    map->covered = map->components >= 1 && map->components <= 4 &&
                   frame.covered == (1u << map->components) - 1;
}

int lq_jpeg_map_icc(const struct lq_jpeg_map *map, struct lq_buf *icc)
{
    lq_buf_clear(icc);
    for (int i = 1; i <= map->icc_parts; i++) {
        int status = map->icc[i].bytes ? lq_buf_append(icc, map->icc[i].bytes, map->icc[i].len)
                                       : LQ_ERR_CORRUPT;
        if (status != LQ_OK) {
            lq_buf_clear(icc);
            return status == LQ_ERR_MEMORY ? status : LQ_OK;
        }
    }
    return LQ_OK;
}
