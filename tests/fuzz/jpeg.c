// A JPEG file: our scan of its markers, and the decoding that relies on it.
#include "image/jpeg_map.h"

#include "base/limits.h"
#include "fuzz/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_jpeg_map map;
    struct lq_buf made;
    lq_jpeg_map_read(&map, bytes, len);
    fuzz_touch(map.exif, map.exif_len);
    fuzz_touch(map.scan, map.scan_len);
    lq_buf_init(&made, LQ_FILE_BYTES_MAX);
    if (lq_jpeg_map_icc(&map, &made) == LQ_OK)
        FUZZ_CHECK(made.len <= len);
    FUZZ_CHECK(!map.whole || (map.whole >= bytes && map.whole <= bytes + len));
    lq_buf_release(&made);
    if (lq_picture_sniff(bytes, len) == LQ_PICTURE_JPEG)
        fuzz_decode(bytes, len);
    return 0;
}
