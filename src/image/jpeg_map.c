#include "image/jpeg_map.h"

#include <string.h>

enum {
    SOF0 = 0xc0, SOF2 = 0xc2, DHT = 0xc4, JPG = 0xc8, DAC = 0xcc, SOF15 = 0xcf,
    RST0 = 0xd0, RST7 = 0xd7, SOI = 0xd8, EOI = 0xd9, SOS = 0xda,
    APP0 = 0xe0, APP1 = 0xe1, APP2 = 0xe2, APP14 = 0xee, TEM = 0x01,
};

static const char EXIF_NAME[6] = "Exif\0";          // and the literal's own NUL
static const char ICC_NAME[12] = "ICC_PROFILE";

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

struct segment {
    int code;
    const uint8_t *gap; // what was skipped before the marker: a scan's data, or dirt
    size_t gap_len;
    const uint8_t *body;
    size_t body_len;
};

static bool code_has_body(int code)
{
    return code != TEM && !(code >= RST0 && code <= EOI);
}

// Finds the next marker that is neither stuffing nor a restart; false at the end of the bytes.
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
    if (size < 2 || size > left) {
        segment->gap_len = 0; // a cut segment: nothing in or before it is a scan's data
        return false;
    }
    segment->body = reader->at + 2;
    segment->body_len = size - 2;
    reader->at += size;
    return true;
}

struct frame {
    uint8_t ids[4];
    unsigned covered; // bit per component
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

// A component counts as covered by its scan, or by its first DC scan when progressive.
static void map_scan(struct lq_jpeg_map *map, struct frame *frame, const struct segment *segment)
{
    const uint8_t *body = segment->body;
    map->scans++;
    size_t count = segment->body_len ? body[0] : 0;
    if (segment->body_len < 1 + 2 * count + 3)
        return;
    const uint8_t *band = body + 1 + 2 * count; // first and last coefficient, high and low bit
    if (map->process == SOF2 && (band[0] != 0 || band[2] >> 4 != 0))
        return;
    for (size_t i = 0; i < count; i++) {
        for (int c = 0; c < 4 && c < map->components; c++) {
            if (frame->ids[c] == body[1 + 2 * i])
                frame->covered |= 1u << c;
        }
    }
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

void lq_jpeg_map_read(struct lq_jpeg_map *map, const uint8_t *bytes, size_t len)
{
    *map = (struct lq_jpeg_map){0};
    struct frame frame = {0};
    struct reader reader = {bytes, bytes + len};
    struct segment segment;
    while (!map->ended && next_segment(&reader, &segment)) {
        int code = segment.code;
        map->scan = segment.gap;
        map->scan_len = segment.gap_len;
        if (code == EOI)
            map->ended = true;
        else if (code == SOS)
            map_scan(map, &frame, &segment);
        else if (code >= SOF0 && code <= SOF15 && code != DHT && code != JPG && code != DAC)
            map_frame(map, &frame, &segment);
        else
            map_application(map, &segment);
    }
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
            return status == LQ_ERR_CORRUPT ? LQ_OK : status;
        }
    }
    return LQ_OK;
}

static int append_segment(struct lq_buf *mended, const struct segment *segment)
{
    const uint8_t marker[2] = {0xff, (uint8_t)segment->code};
    int status = lq_buf_append(mended, marker, 2);
    if (status != LQ_OK || !code_has_body(segment->code))
        return status;
    size_t size = segment->body_len + 2;
    const uint8_t length[2] = {(uint8_t)(size >> 8), (uint8_t)size};
    status = lq_buf_append(mended, length, 2);
    return status == LQ_OK ? lq_buf_append(mended, segment->body, segment->body_len) : status;
}

// Puts right the fields of the segment just appended that decoders warn about and do not use.
static void mend_fields(struct lq_buf *mended, const struct segment *segment, bool progressive)
{
    uint8_t *body = mended->data + mended->len - segment->body_len;
    if (segment->code == SOS && !progressive && segment->body_len >= 6)
        memcpy(body + segment->body_len - 3, (const uint8_t[]){0, 63, 0}, 3);
    if (segment->code == APP0 && segment->body_len >= 7 && memcmp(body, "JFIF", 5) == 0)
        body[5] = 1;
}

int lq_jpeg_mend(const uint8_t *bytes, size_t len, struct lq_buf *mended)
{
    struct reader reader = {bytes, bytes + len};
    struct segment segment = {0};
    bool in_scan = false;
    bool progressive = false;
    int status = LQ_OK;
    lq_buf_clear(mended);
    while (status == LQ_OK && next_segment(&reader, &segment)) {
        if (in_scan)
            status = lq_buf_append(mended, segment.gap, segment.gap_len);
        if (status == LQ_OK)
            status = append_segment(mended, &segment);
        if (status != LQ_OK || segment.code == EOI)
            return status;
        progressive |= segment.code == SOF2;
        in_scan = segment.code == SOS;
        mend_fields(mended, &segment, progressive);
    }
    if (status == LQ_OK && in_scan)
        status = lq_buf_append(mended, segment.gap, segment.gap_len);
    return status == LQ_OK ? lq_buf_append(mended, (const uint8_t[]){0xff, EOI}, 2) : status;
}
