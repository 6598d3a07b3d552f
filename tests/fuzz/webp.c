// A WebP file: our scan of its chunks, and the decoding.
#include "fuzz/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (lq_picture_sniff(bytes, len) == LQ_PICTURE_WEBP)
        fuzz_decode(bytes, len);
    return 0;
}
