// A connection's reads and writes, plain or through TLS, with its counters and its flags kept.
// Threads: the loop's. Owner: the connection's.
#pragma once

#include "net/conn.h"

// Reads once, up to `size` bytes. READ: nothing there now.
enum lq_io lq_conn_recv(struct lq_conn *conn, uint8_t *bytes, size_t size, size_t *len);
// Writes pieces once; *len of their bytes went. DONE also if it was not all of them.
enum lq_io lq_conn_sendv(struct lq_conn *conn, const struct iovec *pieces, int count, size_t *len);
