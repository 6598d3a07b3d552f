#include "bench/client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/limits.h"
#include "bench/client_ways.h"

enum { MESSAGE_MAX = 2 * LQ_MESSAGE_BYTES_MAX };

int lq_client_set_init(struct lq_client_set *set, int clients_max, struct lq_error *err)
{
    *set = (struct lq_client_set){.max = clients_max};
    set->clients = calloc((size_t)clients_max, sizeof *set->clients);
    set->waits = calloc((size_t)clients_max, sizeof(struct curl_waitfd));
    set->multi = curl_multi_init();
    if (set->clients && set->waits && set->multi)
        return LQ_OK;
    lq_client_set_release(set);
    return lq_fail(err, LQ_ERR_MEMORY, "cannot hold %d users", clients_max);
}

void lq_client_set_release(struct lq_client_set *set)
{
    free(set->clients);
    free(set->waits);
    if (set->multi)
        curl_multi_cleanup(set->multi);
    *set = (struct lq_client_set){0};
}

static bool is_http(const struct lq_client *client)
{
    return client->target->way == LQ_CLIENT_HTTP;
}

// Lists the WebSockets and the events that each waits for, in the order of the clients.
static unsigned gather_waits(const struct lq_client_set *set)
{
    struct curl_waitfd *waits = set->waits;
    unsigned count = 0;
    for (int i = 0; i < set->count; i++)
        if (!is_http(set->clients[i]))
            waits[count++] = (struct curl_waitfd){
                .fd = set->clients[i]->fd, .events = lq_client_ws_events(set->clients[i])};
    return count;
}

static int pump_websockets(const struct lq_client_set *set, struct lq_error *err)
{
    const struct curl_waitfd *waits = set->waits;
    for (int i = 0, at = 0; i < set->count; i++) {
        if (is_http(set->clients[i]))
            continue;
        int status = waits[at++].revents ? lq_client_ws_pump(set->clients[i], err) : LQ_OK;
        if (status != LQ_OK)
            return status;
    }
    return LQ_OK;
}

int lq_client_set_turn(struct lq_client_set *set, int wait_ms, struct lq_error *err)
{
    int status = lq_client_http_pump(set, err); // starts requests added since
    if (status != LQ_OK)
        return status;
    unsigned count = gather_waits(set);
    int ready = 0;
    if (curl_multi_poll(set->multi, set->waits, count, wait_ms, &ready) != CURLM_OK)
        return lq_fail(err, LQ_ERR_IO, "cannot wait for the server");
    status = ready > 0 ? pump_websockets(set, err) : LQ_OK;
    return status == LQ_OK ? lq_client_http_pump(set, err) : status;
}

int lq_client_open(struct lq_client *client, struct lq_client_set *set,
                   const struct lq_client_target *target, struct lq_error *err)
{
    *client = (struct lq_client){.target = target, .set = set, .fd = -1};
    lq_buf_init(&client->in, MESSAGE_MAX);
    lq_buf_init(&client->out, 2 * (size_t)MESSAGE_MAX);
    lq_buf_init(&client->message, MESSAGE_MAX);
    if (getrandom(&client->mask, sizeof client->mask, 0) != sizeof client->mask || !client->mask)
        client->mask = (uint32_t)lq_clock_us() | 1;
    int status = is_http(client) ? lq_client_http_open(client, err)
                                 : lq_client_ws_open(client, err);
    if (status != LQ_OK)
        lq_client_close(client);
    else
        set->clients[set->count++] = client;
    return status;
}

// Removes the client from the set; the last client moves to its index.
static void leave(struct lq_client *client)
{
    struct lq_client_set *set = client->set;
    for (int i = 0; i < set->count; i++)
        if (set->clients[i] == client)
            set->clients[i--] = set->clients[--set->count];
}

void lq_client_close(struct lq_client *client)
{
    if (!client->set)
        return;
    leave(client);
    if (client->curl) {
        curl_multi_remove_handle(client->set->multi, client->curl); // harmless if it was not added
        curl_easy_cleanup(client->curl);
    }
    curl_slist_free_all(client->headers);
    lq_buf_release(&client->in);
    lq_buf_release(&client->out);
    lq_buf_release(&client->message);
    *client = (struct lq_client){.fd = -1};
}

bool lq_client_is_quiet(const struct lq_client *client, uint64_t now_us)
{
    return now_us < client->quiet_until_us;
}

int lq_client_send(struct lq_client *client, const struct lq_client_frame *frame,
                   struct lq_error *err)
{
    client->id++;
    client->flight[client->in_flight].id = client->id;
    client->flight[client->in_flight++].sent_us = lq_clock_us();
    return is_http(client) ? lq_client_http_send(client, frame, err)
                           : lq_client_ws_send(client, frame, err);
}
