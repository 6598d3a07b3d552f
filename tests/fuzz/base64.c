// Base64 and data URLs: encoding what was decoded, and decoding it again, gives the same bytes.
#include "base/base64.h"

#include <string.h>

#include "base/limits.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_buf decoded, again;
    struct lq_data_url url;
    struct lq_error error;
    lq_buf_init(&decoded, LQ_BODY_BYTES_MAX);
    lq_buf_init(&again, LQ_BODY_BYTES_MAX);
    if (lq_data_url_parse((const char *)bytes, len, &url, &error) == LQ_OK) {
        FUZZ_CHECK(url.base64_len <= len);
        fuzz_touch(url.base64, url.base64_len);
        if (lq_base64_decode(url.base64, url.base64_len, &decoded, &error) == LQ_OK) {
            FUZZ_CHECK(lq_base64_encode(decoded.data, decoded.len, &again) == LQ_OK);
            size_t size = decoded.len;
            FUZZ_CHECK(size <= url.base64_len / 4 * 3 + 2);
            FUZZ_CHECK(lq_base64_decode((const char *)again.data, again.len, &decoded, &error) ==
                       LQ_OK);
            FUZZ_CHECK(decoded.len == 2 * size);
            FUZZ_CHECK(size == 0 || memcmp(decoded.data, decoded.data + size, size) == 0);
        } else {
            FUZZ_CHECK(decoded.len == 0);
        }
    }
    lq_buf_release(&again);
    lq_buf_release(&decoded);
    return 0;
}
