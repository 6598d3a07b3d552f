#include "net/proxy.h"
enum lq_proxy_state lq_proxy_read(const uint8_t *bytes, size_t len, size_t *size,
                                  struct lq_net_address *client)
{
    (void)bytes; (void)len; (void)size; (void)client;
    return LQ_PROXY_NONE;
}
