// A HEIC file, where libheif is installed.
#include "fuzz/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (lq_picture_sniff(bytes, len) == LQ_PICTURE_HEIC)
        fuzz_decode(bytes, len);
    return 0;
}
