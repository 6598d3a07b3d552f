// Which form of a file a client accepts (Accept-Encoding) and which it already has (If-None-Match),
// RFC 9110, 12.5.3 and 13.1.2.
// Threads: any; no state. Owner: the caller owns texts; names are constants.
#pragma once

#include <stdbool.h>

enum lq_coding { LQ_CODING_IDENTITY, LQ_CODING_GZIP, LQ_CODING_BROTLI, LQ_CODING_COUNT };

// "br"; NULL for identity.
const char *lq_coding_name(enum lq_coding coding);

// The coding that the client prefers among those available (bit 1 << coding); among equals, the
// smallest form. accept: the header's value; NULL if absent, which means identity. Returns -1 if
// the client accepts none of them.
int lq_coding_choose(const char *accept, unsigned available);

// Whether a list of entity tags contains this one (weak comparison) or is "*". etag: with its
// quotes.
bool lq_etag_is_listed(const char *list, const char *etag);
