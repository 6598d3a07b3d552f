// A server over loopback and a client for it, both in one thread: net_turns lets the server work.
//   /hello   answers "hello"
//   /echo    answers with its body
//   /early   answers 413 before its body
//   /wait    the test answers it, by server.waiting
//   /big     answers with `big`, BIG_BYTES of borrowed bytes
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/http.h"
#include "net/ws.h"
#include "unit/unit.h"

enum { BIG_BYTES = 8 * 1024 * 1024, BODY_MAX = 4 * 1024 * 1024 };

struct net_server {
    struct lq_net *net;
    struct lq_listener *listener;
    struct lq_http_request *waiting;
    enum lq_net_end gone_end; // of the last request
    int requests, gone_whole, gone_lost, refused, refused_code, accepted, ended;
    int bodies;              // body_done was called
    size_t room_max;         // bytes accepted at a time; 0: all that arrive
    enum lq_net_end last_end;
    struct lq_net_address last_client;
    char seen[512];          // the last request
    uint8_t *big;
};

struct net_state { // of one request
    struct lq_buf body;
    struct net_server *server;
};

static inline void net_answer(struct lq_http_request *http, int code, const void *bytes, size_t len)
{
    lq_http_respond(http, &(struct lq_http_response){.code = code, .body = bytes, .len = len,
                                                  .headers = "content-type: text/plain\r\n"});
}

static inline void net_on_request(struct lq_http_request *http)
{
    struct net_server *server = lq_http_context(http);
    struct net_state *state = calloc(1, sizeof *state);
    const char *path = lq_http_path(http);
    state->server = server;
    lq_buf_init(&state->body, BODY_MAX);
    lq_http_set_state(http, state);
    server->requests++;
    server->last_client = *lq_http_client(http);
    snprintf(server->seen, sizeof server->seen, "%s %s %s", lq_http_method_name(http), path,
             lq_http_host(http));
    if (strcmp(path, "/early") == 0)
        net_answer(http, 413, "too much", 8);
    else if (strcmp(path, "/wait") == 0)
        server->waiting = http;
    else if (strcmp(path, "/big") == 0)
        net_answer(http, 200, server->big, BIG_BYTES);
    else if (strcmp(path, "/echo") != 0)
        net_answer(http, 200, "hello", 5);
    else if (!lq_http_has_body(http))
        net_answer(http, 200, "no body", 7);
}

static inline uint8_t *net_room(struct lq_http_request *http, size_t coming, size_t *size)
{
    struct net_state *state = lq_http_state(http);
    *size = state->server->room_max && state->server->room_max < coming ? state->server->room_max
                                                                        : coming;
    if (lq_buf_reserve(&state->body, state->body.len + *size) != LQ_OK) {
        net_answer(http, 413, "too much", 8);
        return NULL;
    }
    return state->body.data + state->body.len;
}

static inline void net_received(struct lq_http_request *http, size_t len)
{
    struct net_state *state = lq_http_state(http);
    state->body.len += len;
}

static inline void net_body_done(struct lq_http_request *http)
{
    struct net_state *state = lq_http_state(http);
    state->server->bodies++;
    if (strcmp(lq_http_path(http), "/echo") == 0)
        net_answer(http, 200, state->body.data, state->body.len);
}

static inline void net_gone(struct lq_http_request *http, bool whole, enum lq_net_end end)
{
    struct net_state *state = lq_http_state(http);
    struct net_server *server = state->server;
    server->gone_end = end;
    if (whole)
        server->gone_whole++;
    else
        server->gone_lost++;
    if (server->waiting == http)
        server->waiting = NULL;
    lq_buf_release(&state->body);
    free(state);
}

static inline void net_refuse(void *context, struct lq_http_request *http, const char *why,
                              struct lq_http_response *answer)
{
    struct net_server *server = context;
    (void)http;
    assert_non_null(why);
    server->refused++;
    server->refused_code = answer->code;
}

static inline bool net_accept(void *context, const struct lq_net_address *client)
{
    struct net_server *server = context;
    (void)client;
    server->accepted++;
    return true;
}

static inline void net_ended(void *context, const struct lq_net_address *client,
                             enum lq_net_end end)
{
    struct net_server *server = context;
    (void)client;
    server->ended++;
    server->last_end = end;
}

static const struct lq_http_handler net_handler = {
    .request = net_on_request, .room = net_room, .received = net_received,
    .body_done = net_body_done,
    .gone = net_gone, .refuse = net_refuse,
};

// Opens the server; `options` may be NULL; its context, host and functions are set here.
static inline void net_open(struct net_server *server, const struct lq_listener_options *options)
{
    struct lq_error error;
    struct lq_listener_options all = options ? *options : (struct lq_listener_options){0};
    signal(SIGPIPE, SIG_IGN);
    *server = (struct net_server){.big = malloc(BIG_BYTES)};
    for (size_t i = 0; i < BIG_BYTES; i++)
        server->big[i] = (uint8_t)(i * 31 >> 3);
    all.host = "127.0.0.1";
    all.context = server;
    all.accept = net_accept;
    all.ended = net_ended;
    if (!all.handler)
        all.handler = &net_handler;
    assert_ok(lq_net_new(&server->net, &error));
    assert_ok(lq_listener_open(server->net, &server->listener, &all, &error));
}

static inline void net_close(struct net_server *server)
{
    lq_net_free(server->net);
    assert_int_equal(server->accepted, server->ended);
    assert_int_equal(server->requests, server->gone_whole + server->gone_lost);
    free(server->big);
}

static inline int net_connect(struct net_server *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)lq_listener_port(server->listener))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); // sends small pieces immediately
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

// Runs a few turns of the loop, which process what has arrived.
static inline void net_turns(struct net_server *server)
{
    for (int i = 0; i < 4; i++)
        assert_ok(lq_net_turn(server->net, i == 0 ? 1 : 0));
}

static inline void net_send(struct net_server *server, int fd, const void *bytes, size_t len)
{
    const uint8_t *at = bytes, *end = at + len;
    while (at < end) {
        ssize_t sent = send(fd, at, (size_t)(end - at), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return; // the server closed the connection
        at += sent > 0 ? sent : 0;
        net_turns(server);
    }
}

static inline void net_say(struct net_server *server, int fd, const char *text)
{
    net_send(server, fd, text, strlen(text));
}

// Reads until `want` bytes have arrived, the server closes, or nothing arrives for `ms`. Returns
// them in a static buffer, followed by a NUL.
static inline char *net_hear(struct net_server *server, int fd, size_t want, int ms, size_t *len,
                             bool *closed)
{
    static char text[BIG_BYTES + 65536];
    *len = 0;
    *closed = false;
    while (*len < want && ms > 0) {
        net_turns(server);
        ssize_t got = recv(fd, text + *len, sizeof text - 1 - *len, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            *closed = true;
            break;
        }
        *len += got > 0 ? (size_t)got : 0;
        if (got < 0) {
            usleep(1000);
            ms--;
        }
    }
    text[*len] = 0;
    return text;
}

// Reads one response: returns its code, and its body in `body`; 0: none arrived. `closed` may be
// NULL.
static inline int net_answer_of(struct net_server *server, int fd, char *body, size_t size,
                                bool *closed)
{
    size_t len = 0, got;
    char text[65536], *end = NULL;
    bool over = false;
    while (!end && !over && len < sizeof text - 1) { // a byte at a time: nothing of what follows
        char *piece = net_hear(server, fd, 0, 1, &got, &over);
        ssize_t one = recv(fd, text + len, 1, MSG_DONTWAIT);
        (void)piece;
        if (one == 0 || (one < 0 && errno != EAGAIN))
            over = true;
        for (int ms = 0; one < 0 && errno == EAGAIN && ms < 1000; ms++) {
            net_turns(server);
            one = recv(fd, text + len, 1, MSG_DONTWAIT);
        }
        if (one != 1)
            break;
        text[++len] = 0;
        end = len >= 4 && memcmp(text + len - 4, "\r\n\r\n", 4) == 0 ? text + len : NULL;
    }
    if (closed)
        *closed = over || (end && strstr(text, "connection: close\r\n"));
    if (!end)
        return 0;
    const char *length = strstr(text, "content-length: ");
    size_t want = length ? (size_t)strtoul(length + 16, NULL, 10) : 0;
    want = want < size - 1 ? want : size - 1;
    char *rest = text;
    for (len = 0; len < want;) {
        ssize_t some = recv(fd, body + len, want - len, MSG_DONTWAIT);
        if (some == 0)
            break;
        len += some > 0 ? (size_t)some : 0;
        net_turns(server);
    }
    body[len] = 0;
    return (int)strtol(rest + 9, NULL, 10);
}
