#include "net/conn_io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { GATHER_BYTES = 16 * 1024 }; // the maximum size of a TLS record

static enum lq_io recv_plain(struct lq_conn *conn, uint8_t *bytes, size_t size, size_t *len)
{
    ssize_t got;
    do
        got = recv(conn->watch.fd, bytes, size, 0);
    while (got < 0 && errno == EINTR);
    *len = got > 0 ? (size_t)got : 0;
    if (got > 0)
        return LQ_IO_DONE;
    if (got == 0)
        return LQ_IO_END;
    return errno == EAGAIN ? LQ_IO_READ : LQ_IO_BROKEN;
}

enum lq_io lq_conn_recv(struct lq_conn *conn, uint8_t *bytes, size_t size, size_t *len)
{
    enum lq_io io = conn->tls ? lq_tls_read(conn->tls, bytes, size, len)
                              : recv_plain(conn, bytes, size, len);
    conn->net->bytes_in += *len;
    if (io == LQ_IO_READ)
        conn->readable = false;
    return io;
}

static enum lq_io send_plain(struct lq_conn *conn, const struct iovec *pieces, int count,
                             size_t *len)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                             .msg_iovlen = (size_t)count};
    ssize_t sent;
    do
        sent = sendmsg(conn->watch.fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    *len = sent > 0 ? (size_t)sent : 0;
    if (sent >= 0)
        return LQ_IO_DONE;
    return errno == EAGAIN ? LQ_IO_WRITE : LQ_IO_BROKEN;
}

// Gathers short pieces into one record. After a partial write OpenSSL wants the same bytes again,
// which holds because the queue keeps their order.
static enum lq_io send_tls(struct lq_conn *conn, const struct iovec *pieces, int count, size_t *len)
{
    uint8_t gathered[GATHER_BYTES];
    size_t used = 0;
    if (count == 1 || pieces[0].iov_len >= sizeof gathered)
        return lq_tls_write(conn->tls, pieces[0].iov_base, pieces[0].iov_len, len);
    for (int i = 0; i < count && used < sizeof gathered; i++) {
        size_t part = sizeof gathered - used;
        part = pieces[i].iov_len < part ? pieces[i].iov_len : part;
        memcpy(gathered + used, pieces[i].iov_base, part);
        used += part;
    }
    return lq_tls_write(conn->tls, gathered, used, len);
}

enum lq_io lq_conn_sendv(struct lq_conn *conn, const struct iovec *pieces, int count, size_t *len)
{
    enum lq_io io = conn->tls ? send_tls(conn, pieces, count, len)
                              : send_plain(conn, pieces, count, len);
    conn->net->bytes_out += *len;
    if (*len > 0)
        conn->moved_us = lq_loop_now_us(conn->net->loop);
    if (io == LQ_IO_WRITE)
        conn->writable = false;
    return io;
}
