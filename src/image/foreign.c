#include "image/foreign.h"

#include <string.h>

#include "base/attr.h"

struct kind {
    size_t at;
    const char *bytes;
    size_t len;
    const char *name;
    const char *cure;
};

#define BYTES(text) text, sizeof(text) - 1

static const char PICTURE[] = "save it as a JPEG, PNG or WebP";
static const char VIDEO[] = "save one of its frames as a JPEG";
static const char TEXT[] = "send the picture itself";

static const struct kind KINDS[] = {
    {0, BYTES("GIF8"), "a GIF", PICTURE},
    {0, BYTES("BM"), "a BMP", PICTURE},
    {0, BYTES("II*\0"), "a TIFF or a camera's raw file", PICTURE},
    {0, BYTES("MM\0*"), "a TIFF or a camera's raw file", PICTURE},
    {0, BYTES("II+\0"), "a TIFF", PICTURE},
    {0, BYTES("MM\0+"), "a TIFF", PICTURE},
    {0, BYTES("\xff\x0a"), "a JPEG XL", PICTURE},
    {4, BYTES("JXL \r\n"), "a JPEG XL", PICTURE},
    {4, BYTES("jP  \r\n"), "a JPEG 2000", PICTURE},
    {0, BYTES("\xff\x4f\xff\x51"), "a JPEG 2000", PICTURE},
    {0, BYTES("8BPS"), "a Photoshop file", PICTURE},
    {0, BYTES("\0\0\1\0"), "an icon", PICTURE},
    {0, BYTES("qoif"), "a QOI", PICTURE},
    {0, BYTES("%PDF"), "a PDF", PICTURE},
    {0, BYTES("\x1a\x45\xdf\xa3"), "a video (WebM or Matroska)", VIDEO},
    {8, BYTES("AVI "), "a video (AVI)", VIDEO},
    {0, BYTES("FLV\1"), "a video (FLV)", VIDEO},
    {0, BYTES("\0\0\1\xba"), "a video (MPEG)", VIDEO},
    {0, BYTES("\0\0\1\xb3"), "a video (MPEG)", VIDEO},
    {4, BYTES("ftypqt"), "a video (MOV)", VIDEO},
    {4, BYTES("moov"), "a video (MOV)", VIDEO},
    {4, BYTES("mdat"), "a video (MOV)", VIDEO},
    {4, BYTES("ftypcrx"), "a camera's raw file", PICTURE},
    {4, BYTES("ftyp"), "a video (MP4)", VIDEO},
    {0, BYTES("data:"), "a data URL in text", TEXT},
    {0, BYTES("<"), "an SVG, a web page or other text", TEXT},
    {0, BYTES("{"), "JSON", TEXT},
};

int lq_picture_refuse(const uint8_t *bytes, size_t len, struct lq_error *err)
{
    if (len == 0)
        return lq_fail(err, LQ_ERR_FORMAT, "the picture is empty: 0 bytes");
    for (size_t i = 0; i < LQ_COUNT(KINDS); i++) {
        const struct kind *kind = &KINDS[i];
        if (kind->at + kind->len <= len && memcmp(bytes + kind->at, kind->bytes, kind->len) == 0)
            return lq_fail(err, LQ_ERR_FORMAT, "the file is %s: %s", kind->name, kind->cure);
    }
    return lq_fail(err, LQ_ERR_FORMAT, "the picture is none of JPEG, PNG, WebP, AVIF and HEIC");
}
