// An EXIF block's orientation.
#include "image/orient.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    int orientation = lq_exif_orientation(bytes, len);
    FUZZ_CHECK(orientation >= 1 && orientation <= 8);
    return 0;
}
