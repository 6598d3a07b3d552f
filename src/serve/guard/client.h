// Which client a request comes from, behind the proxies that the operator trusts (--trusted-proxy),
// and the host name and scheme by which that client addresses the server. Every part that needs a
// client's address uses this: limits, origins, cookies, the log.
//
// Trusted proxies report the client in X-Forwarded-For (each hop appends the address it got the
// request from), X-Forwarded-Host and X-Forwarded-Proto, or in Forwarded (RFC 7239). The list is
// read from the right as long as each hop is trusted; anything further left may be forged. From
// other peers these headers are ignored. A PROXY header comes first on the connection and takes
// precedence over all of them.
// Threads: any. Owner: plain values.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "net/http.h"
#include "serve/options.h"

struct lq_client_info {
    struct lq_net_address address;
    char host[256];  // as the client wrote it, with its port if given
    bool secure;     // TLS is used by the client to us, or to the proxy that reports so
    bool behind;     // a trusted proxy reported the client
};

void lq_client_of(struct lq_client_info *client, const struct lq_serve_options *options,
                  const struct lq_http_request *http);

// The same from a request's facts; a header that is absent is NULL.
struct lq_client_facts {
    struct lq_net_address peer; // address of the connection
    bool tls;
    const char *host;           // of the request
    const char *forwarded_for, *forwarded_host, *forwarded_proto, *forwarded;
};
void lq_client_read(struct lq_client_info *client, const struct lq_net_block *trusted,
                    int trusted_count, const struct lq_client_facts *facts);

bool lq_client_is_trusted(const struct lq_net_block *trusted, int trusted_count,
                          const struct lq_net_address *address);
