// A whole connection: HTTP and WebSocket over a socket; the first byte sets into which pieces the
// rest is cut. Each request that was reported must also end, and no memory may be left over.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "net/http.h"
#include "net/ws.h"

enum { BODY_MAX = 65536 };

struct receiver { // of a body or of messages
    struct lq_buf bytes;
};

static struct lq_net *net;
static struct lq_listener *listener;
static int living;

static struct receiver *receiver_new(void)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    lq_buf_init(&receiver->bytes, BODY_MAX);
    living++;
    return receiver;
}

static void receiver_free(struct receiver *receiver)
{
    lq_buf_release(&receiver->bytes);
    free(receiver);
    living--;
}

static uint8_t *room_in(struct receiver *receiver, size_t coming, size_t *size)
{
    *size = coming < 1000 ? coming : 1000;
    if (lq_buf_reserve(&receiver->bytes, receiver->bytes.len + *size) != LQ_OK)
        return NULL;
    return receiver->bytes.data + receiver->bytes.len;
}

static uint8_t *ws_room(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t *size)
{
    struct receiver *receiver = lq_ws_state(ws);
    if (piece->first)
        lq_buf_clear(&receiver->bytes);
    uint8_t *place = room_in(receiver, piece->coming, size);
    if (!place)
        lq_ws_close(ws, 1009, "too large");
    return place;
}

static void on_ws_message(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t len, bool last)
{
    struct receiver *receiver = lq_ws_state(ws);
    receiver->bytes.len += len;
    if (last)
        (void)!lq_ws_send_copy(ws, piece->kind, receiver->bytes.data, receiver->bytes.len);
}

static void ws_closed(struct lq_ws *ws, int code, enum lq_net_end end)
{
    (void)code;
    (void)end;
    receiver_free(lq_ws_state(ws));
}

static const struct lq_ws_handler ws_handler = {.room = ws_room, .received = on_ws_message,
                                                .closed = ws_closed};

static void answer(struct lq_http_request *http, int code, const void *bytes, size_t len)
{
    lq_http_respond(http, &(struct lq_http_response){.code = code, .body = bytes, .len = len});
}

static void on_request(struct lq_http_request *http)
{
    char value[64];
    int code;
    const char *headers;
    if (lq_http_wants_ws(http) && !lq_http_ws_fault(http, &code, &headers)) {
        struct receiver *receiver = receiver_new();
        if (!lq_http_upgrade(http, NULL, NULL, &ws_handler, receiver))
            abort();
        return;
    }
    lq_http_set_state(http, receiver_new());
    lq_http_query(http, "a", value, sizeof value);
    lq_http_header_all(http, "cookie", value, sizeof value);
    if (!lq_http_has_body(http) || strcmp(lq_http_path(http), "/early") == 0)
        answer(http, 200, "hello", 5);
}

static uint8_t *on_room(struct lq_http_request *http, size_t coming, size_t *size)
{
    return room_in(lq_http_state(http), coming, size);
}

static void on_received(struct lq_http_request *http, size_t len)
{
    struct receiver *receiver = lq_http_state(http);
    receiver->bytes.len += len;
}

static void on_body_done(struct lq_http_request *http)
{
    struct receiver *receiver = lq_http_state(http);
    answer(http, 200, receiver->bytes.data ? receiver->bytes.data : (const uint8_t *)"",
           receiver->bytes.len);
}

static void on_gone(struct lq_http_request *http, bool whole, enum lq_net_end end)
{
    (void)whole;
    (void)end;
    receiver_free(lq_http_state(http));
}

static const struct lq_http_handler handler = {
    .request = on_request, .room = on_room, .received = on_received, .body_done = on_body_done,
    .gone = on_gone,
};

static void open_once(void)
{
    struct lq_error error;
    struct lq_listener_options options = {.host = "127.0.0.1", .handler = &handler};
    if (net)
        return;
    signal(SIGPIPE, SIG_IGN);
    if (lq_net_new(&net, &error) != LQ_OK ||
        lq_listener_open(net, &listener, &options, &error) != LQ_OK)
        abort();
}

static void turns(int fd)
{
    char answer_bytes[65536];
    for (int i = 0; i < 2; i++) {
        if (lq_net_turn(net, 0) != LQ_OK)
            abort();
        while (recv(fd, answer_bytes, sizeof answer_bytes, MSG_DONTWAIT) > 0)
            ;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    int pair[2];
    struct lq_error error;
    size_t step = len > 0 && bytes[0] ? bytes[0] : 65536;
    open_once();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0 ||
        lq_listener_adopt(listener, pair[0], &error) != LQ_OK)
        return 0;
    for (size_t at = 1; at < len;) {
        size_t part = len - at < step ? len - at : step;
        ssize_t sent = send(pair[1], bytes + at, part, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        at += (size_t)sent;
        turns(pair[1]);
    }
    shutdown(pair[1], SHUT_WR);
    turns(pair[1]);
    close(pair[1]);
    for (int i = 0; i < 4; i++)
        if (lq_net_turn(net, 0) != LQ_OK)
            abort();
    FUZZ_CHECK(living == 0 && lq_net_connections(net) == 0 && lq_net_buffered(net) == 0);
    return 0;
}
