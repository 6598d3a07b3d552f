#include "net/conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/conn_io.h"
#include "net/proxy.h"

enum {
    PIECES_MAX = 16,
    READS_MAX = 8,          // of one connection before other connections are served
    LINGER_READS_MAX = 32,
    HANDSHAKES_MAX = 4,     // steps of TLS handshakes in one turn
};

const struct lq_net_limits *lq_conn_limits(const struct lq_conn *conn)
{
    return &conn->listener->options.limits;
}

void lq_conn_work(struct lq_conn *conn)
{
    lq_loop_job_add(conn->net->loop, &conn->job);
}

// ---- deadlines ---------------------------------------------------------------------------------

// The timer moves to a later time only when it fires, so that a frame costs no timer update.
static void set_timer(struct lq_conn *conn)
{
    uint64_t at_us = conn->deadline_us ? conn->deadline_us : UINT64_MAX;
    uint64_t stall_us = conn->moved_us + UINT64_C(1000) * lq_conn_limits(conn)->stall_ms;
    if (conn->queue.waits && stall_us < at_us)
        at_us = stall_us;
    if (conn->ending || at_us == UINT64_MAX || (conn->timer.place && conn->timer.at_us <= at_us))
        return;
    if (!lq_timer_set(conn->net->loop, &conn->timer, at_us))
        lq_conn_end(conn, LQ_END_MEMORY);
}

void lq_conn_set_deadline(struct lq_conn *conn, uint64_t ms)
{
    conn->deadline_us = ms ? lq_loop_now_us(conn->net->loop) + ms * 1000 : 0;
    set_timer(conn);
}

static void on_deadline(struct lq_conn *conn)
{
    conn->deadline_us = 0;
    if (conn->lingering)
        lq_conn_end(conn, LQ_END_DONE);
    else if (conn->stage != LQ_CONN_OPEN)
        lq_conn_end(conn, conn->net->draining ? LQ_END_DONE : LQ_END_SLOW);
    else
        conn->protocol->deadline(conn);
}

static void on_timer(struct lq_timer *timer, uint64_t now_us)
{
    struct lq_conn *conn = (struct lq_conn *)((char *)timer - offsetof(struct lq_conn, timer));
    uint64_t stall_us = conn->moved_us + UINT64_C(1000) * lq_conn_limits(conn)->stall_ms;
    if (conn->queue.waits && now_us >= stall_us)
        lq_conn_end(conn, LQ_END_SLOW);
    else if (conn->deadline_us && now_us >= conn->deadline_us)
        on_deadline(conn);
    set_timer(conn);
}

// ---- the end -----------------------------------------------------------------------------------

void lq_conn_end(struct lq_conn *conn, enum lq_net_end end)
{
    if (!conn->ending)
        conn->end = (uint8_t)end;
    conn->ending = true;
    lq_conn_work(conn);
}

void lq_conn_close(struct lq_conn *conn)
{
    conn->closing = true;
    conn->deadline_us = 0; // queued output has its own deadline (stall_ms)
    lq_conn_work(conn);
}

static void hold(struct lq_conn *conn, size_t len)
{
    conn->net->buffered += len - conn->held_len;
    conn->held_len = (uint32_t)len;
    if (len > 0)
        return;
    free(conn->held);
    conn->held = NULL;
    conn->held_room = 0;
}

static void release(struct lq_garbage *garbage)
{
    free(garbage);
}

static void report_closed(struct lq_conn *conn)
{
    const struct lq_protocol *protocol = conn->protocol;
    conn->protocol = NULL;
    if (protocol)
        protocol->closed(conn, (enum lq_net_end)conn->end);
}

// Closes the connection and frees its members; its struct is freed at the end of the turn.
static void finish(struct lq_conn *conn)
{
    struct lq_net *net = conn->net;
    report_closed(conn);
    if (conn->accepted && conn->listener->options.ended)
        conn->listener->options.ended(conn->listener->options.context, &conn->client,
                                      (enum lq_net_end)conn->end);
    lq_watch_stop(net->loop, &conn->watch);
    lq_timer_stop(net->loop, &conn->timer);
    lq_loop_job_stop(net->loop, &conn->job);
    if (conn->tls)
        lq_tls_free(conn->tls);
    close(conn->watch.fd);
    lq_queue_release(&conn->queue);
    hold(conn, 0);
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    net->connections -= !conn->lingering;
    conn->listener->lost(conn->listener);
    lq_loop_free_later(net->loop, &conn->garbage);
}

// All output is sent and our direction is shut. Keep reading what the client still sends for a
// while: closing with unread bytes would make the kernel discard the response (RFC 9112 section
// 9.6).
static void start_lingering(struct lq_conn *conn)
{
    if (conn->tls)
        lq_tls_end(conn->tls);
    report_closed(conn);
    if (conn->input_ended) {
        lq_conn_end(conn, LQ_END_DONE);
        return;
    }
    shutdown(conn->watch.fd, SHUT_WR);
    conn->lingering = true;
    conn->net->connections--;
    hold(conn, 0);
    lq_conn_set_deadline(conn, lq_conn_limits(conn)->linger_ms);
}

// Reads and discards input, below TLS.
static void linger(struct lq_conn *conn)
{
    for (int i = 0; i < LINGER_READS_MAX && conn->readable; i++) {
        uint8_t *scratch = conn->net->scratch;
        ssize_t got = recv(conn->watch.fd, scratch, sizeof conn->net->scratch, 0);
        if (got > 0)
            conn->discarded += (size_t)got;
        else if (got < 0)
            conn->readable = false; // an error is reported by the watch
        if (got == 0 || conn->discarded > lq_conn_limits(conn)->discard_bytes) {
            lq_conn_end(conn, LQ_END_DONE);
            return;
        }
    }
    if (conn->readable)
        lq_conn_work(conn);
}

// ---- writing -----------------------------------------------------------------------------------

static void keep_rest(struct lq_conn *conn, const void *copied, size_t copied_len,
                      const void *borrowed, size_t borrowed_len, size_t sent)
{
    size_t part = sent < copied_len ? sent : copied_len;
    int status = lq_queue_copy(&conn->queue, (const uint8_t *)copied + part, copied_len - part);
    sent -= part;
    if (status == LQ_OK && borrowed_len > sent)
        status = lq_queue_borrow(&conn->queue, (const uint8_t *)borrowed + sent,
                                 borrowed_len - sent);
    if (status != LQ_OK)
        lq_conn_end(conn, LQ_END_MEMORY);
}

void lq_conn_write(struct lq_conn *conn, const void *copied, size_t copied_len,
                   const void *borrowed, size_t borrowed_len)
{
    struct iovec pieces[2] = {{(void *)(uintptr_t)copied, copied_len},
                              {(void *)(uintptr_t)borrowed, borrowed_len}};
    size_t sent = 0;
    if (conn->ending || conn->closing)
        return;
    if (!conn->queue.waits) {
        conn->moved_us = lq_loop_now_us(conn->net->loop);
        int count = copied_len && borrowed_len ? 2 : 1;
        if (conn->writable && lq_conn_sendv(conn, copied_len ? pieces : pieces + 1, count,
                                            &sent) == LQ_IO_BROKEN) {
            lq_conn_end(conn, LQ_END_PEER);
            return;
        }
    }
    keep_rest(conn, copied, copied_len, borrowed, borrowed_len, sent);
    conn->wrote = true;
    set_timer(conn);
    lq_conn_work(conn);
}

// Returns whether anything was sent.
static bool flush(struct lq_conn *conn)
{
    bool moved = false;
    while (conn->queue.waits && conn->writable) {
        struct iovec pieces[PIECES_MAX];
        size_t sent;
        int count = lq_queue_pieces(&conn->queue, pieces, PIECES_MAX);
        enum lq_io io = lq_conn_sendv(conn, pieces, count, &sent);
        lq_queue_consume(&conn->queue, sent);
        moved |= sent > 0;
        if (io == LQ_IO_BROKEN)
            lq_conn_end(conn, LQ_END_PEER);
        if (io != LQ_IO_DONE)
            break;
    }
    return moved;
}

// ---- reading -----------------------------------------------------------------------------------

static bool append_held(struct lq_conn *conn, const uint8_t *bytes, size_t len)
{
    size_t want = conn->held_len + len;
    if (want > conn->held_room) {
        size_t room = conn->held_len ? 2 * want : want;
        uint8_t *held = realloc(conn->held, room);
        if (!held)
            return false;
        conn->held = held;
        conn->held_room = (uint32_t)room;
    }
    memcpy(conn->held + conn->held_len, bytes, len);
    hold(conn, want);
    return true;
}

// Passes held input to the protocol. Returns whether it consumed any.
static bool show_held(struct lq_conn *conn)
{
    size_t consumed = conn->protocol->input(conn, conn->held, conn->held_len);
    if (consumed > 0 && consumed < conn->held_len)
        memmove(conn->held, conn->held + consumed, conn->held_len - consumed);
    hold(conn, conn->held_len - consumed);
    conn->short_of_input = consumed == 0 && conn->protocol->wants(conn);
    return consumed > 0;
}

static void on_read(struct lq_conn *conn, uint8_t *bytes, size_t len)
{
    size_t consumed = 0;
    conn->short_of_input = false;
    if (!conn->held_len)
        consumed = conn->protocol->input(conn, bytes, len);
    if (consumed < len && !append_held(conn, bytes + consumed, len - consumed))
        lq_conn_end(conn, LQ_END_MEMORY);
}

// Reads once, into the protocol's payload memory or the scratch. Returns whether bytes were read.
static bool read_once(struct lq_conn *conn)
{
    size_t size = 0, len;
    uint8_t *room = conn->held_len ? NULL : conn->protocol->room(conn, &size);
    uint8_t *bytes = room ? room : conn->net->scratch;
    if (conn->ending || !conn->protocol->wants(conn))
        return false; // `room` refused
    if (!room)
        size = conn->protocol->read_max;
    enum lq_io io = lq_conn_recv(conn, bytes, size, &len);
    if (len > 0 && room)
        conn->protocol->received(conn, bytes, len);
    else if (len > 0)
        on_read(conn, bytes, len);
    if (io == LQ_IO_END) {
        conn->input_ended = true;
        conn->protocol->ended(conn);
    } else if (io == LQ_IO_BROKEN) {
        lq_conn_end(conn, LQ_END_PEER);
    }
    return len > 0;
}

static bool consume_input(struct lq_conn *conn)
{
    if (conn->closing || !conn->protocol->wants(conn))
        return false;
    if (conn->held_len && !conn->short_of_input)
        return show_held(conn) || conn->short_of_input;
    return conn->readable && !conn->input_ended && read_once(conn);
}

// ---- before the protocol -----------------------------------------------------------------------

static bool is_admitted(struct lq_conn *conn)
{
    const struct lq_listener_options *options = &conn->listener->options;
    conn->accepted = !options->accept || options->accept(options->context, &conn->client);
    if (!conn->accepted)
        lq_conn_end(conn, LQ_END_DONE);
    return conn->accepted;
}

// Peeks at the header before reading it, so that no byte after it is consumed.
static bool read_proxy(struct lq_conn *conn)
{
    uint8_t bytes[LQ_PROXY_BYTES_MAX];
    size_t size = 0;
    ssize_t got = recv(conn->watch.fd, bytes, sizeof bytes, MSG_PEEK);
    enum lq_proxy_state state =
        got > 0 ? lq_proxy_read(bytes, (size_t)got, &size, &conn->client) : LQ_PROXY_MORE;
    if (got == 0 || state == LQ_PROXY_NONE) {
        lq_conn_end(conn, got == 0 ? LQ_END_PEER : LQ_END_BROKEN);
        return false;
    }
    conn->readable = state == LQ_PROXY_WHOLE; // else epoll reports when more has arrived
    if (state == LQ_PROXY_MORE || recv(conn->watch.fd, bytes, size, 0) != (ssize_t)size)
        return false;
    conn->net->bytes_in += size;
    conn->stage = conn->listener->tls ? LQ_CONN_TLS : LQ_CONN_OPEN;
    return is_admitted(conn);
}

// A handshake step takes about 0.3 ms. Limit them per turn, so that a burst of new clients does not
// delay those that are connected.
static bool may_shake_hands(struct lq_net *net)
{
    uint64_t turn_us = lq_loop_now_us(net->loop);
    if (net->handshakes_us != turn_us)
        net->handshakes = 0;
    net->handshakes_us = turn_us;
    return net->handshakes++ < HANDSHAKES_MAX;
}

static bool shake_hands(struct lq_conn *conn)
{
    if (conn->readable && !may_shake_hands(conn->net)) {
        lq_conn_work(conn); // in the next turn
        return false;
    }
    if (!conn->tls)
        conn->tls = lq_tls_new(conn->listener->tls, conn->watch.fd);
    enum lq_io io = conn->tls ? lq_tls_handshake(conn->tls) : LQ_IO_BROKEN;
    if (io == LQ_IO_READ)
        conn->readable = false;
    else if (io == LQ_IO_WRITE)
        conn->writable = false;
    else if (io != LQ_IO_DONE)
        lq_conn_end(conn, conn->tls ? LQ_END_BROKEN : LQ_END_MEMORY);
    if (io == LQ_IO_DONE)
        conn->stage = LQ_CONN_OPEN;
    return io == LQ_IO_DONE;
}

// Returns whether it made progress.
static bool prepare(struct lq_conn *conn)
{
    if (conn->stage == LQ_CONN_PROXY)
        return conn->readable && read_proxy(conn);
    return shake_hands(conn);
}

// ---- the job -----------------------------------------------------------------------------------

static bool step(struct lq_conn *conn)
{
    if (conn->stage != LQ_CONN_OPEN)
        return prepare(conn);
    bool moved = flush(conn);
    if (conn->ending)
        return false;
    if (!conn->queue.waits && conn->wrote) {
        conn->wrote = false;
        conn->protocol->drained(conn);
        return true;
    }
    if (conn->closing && !conn->queue.waits) {
        start_lingering(conn);
        return false;
    }
    return consume_input(conn) || moved;
}

static void run(struct lq_loop_job *job)
{
    struct lq_conn *conn = (struct lq_conn *)((char *)job - offsetof(struct lq_conn, job));
    int left = READS_MAX;
    while (!conn->ending && !conn->lingering && left > 0 && step(conn))
        left--;
    if (conn->lingering && !conn->ending)
        linger(conn);
    if (conn->ending)
        finish(conn);
    else if (left == 0)
        lq_conn_work(conn);
}

static void on_ready(struct lq_watch *watch, uint32_t events)
{
    struct lq_conn *conn = (struct lq_conn *)((char *)watch - offsetof(struct lq_conn, watch));
    if (events & (EPOLLIN | EPOLLRDHUP))
        conn->readable = true;
    if (events & EPOLLOUT)
        conn->writable = true;
    if (events & (EPOLLERR | EPOLLHUP)) // reset, or both directions are shut
        lq_conn_end(conn, conn->lingering || conn->closing ? LQ_END_DONE : LQ_END_PEER);
    lq_conn_work(conn);
}

// ---- the beginning -----------------------------------------------------------------------------

static void set_options(int fd)
{
    static const struct { int level, name, value; } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},  {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 60}, {IPPROTO_TCP, TCP_KEEPINTVL, 10},
        {IPPROTO_TCP, TCP_KEEPCNT, 3},
    };
    for (size_t i = 0; i < LQ_COUNT(options); i++) // may fail: not every socket is TCP
        setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

static bool is_proxy(const struct lq_listener *listener, const struct lq_net_address *peer)
{
    for (size_t i = 0; i < listener->options.proxy_count; i++)
        if (lq_net_block_has(&listener->proxies[i], peer))
            return true;
    return false;
}

static void enlist(struct lq_conn *conn)
{
    struct lq_listener *listener = conn->listener;
    conn->next = listener->conns;
    conn->link = &listener->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    listener->conns = conn;
    listener->conn_count++;
    conn->net->connections++;
}

int lq_conn_open(struct lq_listener *listener, int fd, const struct lq_net_address *peer,
                 struct lq_error *err)
{
    struct lq_conn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        close(fd);
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    }
    conn->garbage.release = release;
    conn->net = listener->net;
    conn->listener = listener;
    conn->watch = (struct lq_watch){.ready = on_ready, .fd = fd, .stopped = true};
    conn->job.run = run;
    conn->timer.due = on_timer;
    conn->protocol = listener->protocol;
    conn->peer = *peer;
    conn->client = *peer;
    lq_queue_init(&conn->queue, &conn->net->buffered);
    conn->stage = is_proxy(listener, peer) ? LQ_CONN_PROXY
                  : listener->tls          ? LQ_CONN_TLS
                                           : LQ_CONN_OPEN;
    set_options(fd);
    enlist(conn);
    int status =
        lq_watch_start(conn->net->loop, &conn->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP, err);
    if (status != LQ_OK || (conn->stage != LQ_CONN_PROXY && !is_admitted(conn)))
        lq_conn_end(conn, LQ_END_DONE);
    lq_conn_set_deadline(conn, lq_conn_limits(conn)->handshake_ms);
    return status;
}
