// Which form of a file a client takes (Accept-Encoding) and which it has (If-None-Match), RFC 9110,
// 12.5.3 and 13.1.2.
// Threads: any; no state. Owner: texts are the caller's; names are constants.
#pragma once

#include <stdbool.h>

enum lq_coding { LQ_CODING_IDENTITY, LQ_CODING_GZIP, LQ_CODING_BROTLI, LQ_CODING_COUNT };

// "br"; NULL for identity.
const char *lq_coding_name(enum lq_coding coding);

// The coding that the client likes best of those available (bit 1 << coding); among equals the one
// that is smallest. accept: the header's value, NULL where there is none, which means identity.
// -1: the client takes none of them.
int lq_coding_choose(const char *accept, unsigned available);

// Whether a list of entity tags names this one, weakly compared, or is "*". etag: in its quotes.
bool lq_etag_is_listed(const char *list, const char *etag);
