// Reads and writes of a connection, plain or through TLS; updates its counters and flags.
// Threads: the loop's. Owner: the connection.
#pragma once

#include "net/conn.h"

// Reads once, up to `size` bytes. READ: no data now.
enum lq_io lq_conn_recv(struct lq_conn *conn, uint8_t *bytes, size_t size, size_t *len);
// Writes pieces once; *len bytes were written. DONE even if that is not all.
enum lq_io lq_conn_sendv(struct lq_conn *conn, const struct iovec *pieces, int count, size_t *len);
