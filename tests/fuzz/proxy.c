// PROXY headers: the result is the same whether they arrive at once or byte by byte.
#include <string.h>

#include "fuzz/fuzz.h"
#include "net/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_net_address whole = {.family = 0}, cut = {.family = 0};
    size_t size = 0, cut_size = 0;
    char text[LQ_NET_ADDRESS_SIZE];
    enum lq_proxy_state state = lq_proxy_read(bytes, len, &size, &whole), part = LQ_PROXY_MORE;
    for (size_t end = 0; end <= len && part == LQ_PROXY_MORE; end++)
        part = lq_proxy_read(bytes, end, &cut_size, &cut);
    FUZZ_CHECK(part == state);
    if (state != LQ_PROXY_WHOLE)
        return 0;
    FUZZ_CHECK(size == cut_size && size <= len && size <= LQ_PROXY_BYTES_MAX);
    FUZZ_CHECK(memcmp(whole.bytes, cut.bytes, sizeof whole.bytes) == 0 && whole.port == cut.port);
    lq_net_address_print(&whole, text);
    return 0;
}
