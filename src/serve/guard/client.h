// Who a request comes from, seen past the proxies that the operator trusts (--trusted-proxy), and
// the name and scheme by which that client knows the server. Everything that asks for a client's
// address asks here: limits, origins, cookies, the log.
//
// A trusted proxy's word: X-Forwarded-For (each hop appends whom it got the request from),
// X-Forwarded-Host, X-Forwarded-Proto; or Forwarded (RFC 7239). Read from the right, hop by hop as
// long as a hop is trusted; what stands further left anybody may have written. From others these
// headers mean nothing. A PROXY header is the connection's first word and comes before all of them.
// Threads: any. Owner: plain values.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "net/http.h"
#include "serve/options.h"

struct lq_client_info {
    struct lq_net_address address;
    char host[256];  // as the client wrote it, with its port if it has one
    bool secure;     // TLS from the client to us, or to the proxy that says so
    bool behind;     // a trusted proxy spoke for it
};

void lq_client_of(struct lq_client_info *client, const struct lq_serve_options *options,
                  const struct lq_http_request *http);

// The same of what a request says; a header that is absent is NULL.
struct lq_client_facts {
    struct lq_net_address peer; // the connection's
    bool tls;
    const char *host;           // of the request
    const char *forwarded_for, *forwarded_host, *forwarded_proto, *forwarded;
};
void lq_client_read(struct lq_client_info *client, const struct lq_net_block *trusted,
                    int trusted_count, const struct lq_client_facts *facts);

bool lq_client_is_trusted(const struct lq_net_block *trusted, int trusted_count,
                          const struct lq_net_address *address);
