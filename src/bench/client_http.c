#include <curl/curl.h>
#include <string.h>

#include "base/clock.h"
#include "bench/client_ways.h"

static size_t on_received(char *bytes, size_t size, size_t count, void *context)
{
    struct lq_client *client = context;
    return lq_buf_append(&client->in, bytes, size * count) == LQ_OK ? size * count : 0;
}

// Counts bytes in libcurl's debug callback, the only one that gets every byte of a request.
static int on_bytes(CURL *curl, curl_infotype kind, char *bytes, size_t len, void *context)
{
    struct lq_client *client = context;
    (void)curl;
    (void)bytes;
    if (kind == CURLINFO_HEADER_IN || kind == CURLINFO_HEADER_OUT || kind == CURLINFO_DATA_IN ||
        kind == CURLINFO_DATA_OUT)
        client->bytes += len;
    return 0;
}

// The headers of every request. "Expect: 100-continue", libcurl's default, would cost each frame a
// round trip.
static struct curl_slist *request_headers(void)
{
    struct curl_slist *first = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *all = first ? curl_slist_append(first, "Expect:") : NULL;
    if (!all)
        curl_slist_free_all(first);
    return all;
}

int lq_client_http_open(struct lq_client *client, struct lq_error *err)
{
    char address[1024];
    if (!lq_url_write(&client->target->url, client->target->path, address, sizeof address))
        return lq_fail(err, LQ_ERR_ARGUMENT, "the server's address is too long");
    client->headers = request_headers();
    CURL *curl = client->curl = curl_easy_init();
    if (!curl || !client->headers)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot start an HTTP client");
    curl_easy_setopt(curl, CURLOPT_URL, address);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)LQ_CLIENT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_received);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, client);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, client);
    client->ready = true;
    return LQ_OK;
}

int lq_client_http_send(struct lq_client *client, const struct lq_client_frame *frame,
                        struct lq_error *err)
{
    lq_buf_clear(&client->in);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)frame->json.len);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, frame->json.data); // not copied
    if (curl_multi_add_handle(client->set->multi, client->curl) != CURLM_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot begin a request");
    return LQ_OK;
}

static int finish(struct lq_client *client, CURLcode code, struct lq_error *err)
{
    const struct lq_url *url = &client->target->url;
    long http_status = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &http_status);
    curl_multi_remove_handle(client->set->multi, client->curl);
    if (code == CURLE_OK)
        return lq_client_read_http(client, (int)http_status, err);
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
        return lq_fail(err, LQ_ERR_IO, "cannot connect to '%s' port %d: %s", url->host, url->port,
                       curl_easy_strerror(code));
    if (code == CURLE_OPERATION_TIMEDOUT)
        return lq_fail(err, LQ_ERR_TIMEOUT, "no response from the server within %d s",
                       LQ_CLIENT_TIMEOUT_MS / 1000);
    if (code == CURLE_WRITE_ERROR)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "reply over %zu bytes", client->in.max);
    return lq_fail(err, LQ_ERR_IO, "reply incomplete: %s", curl_easy_strerror(code));
}

int lq_client_http_pump(struct lq_client_set *set, struct lq_error *err)
{
    int running, left;
    if (curl_multi_perform(set->multi, &running) != CURLM_OK)
        return lq_fail(err, LQ_ERR_IO, "cannot continue the requests");
    for (CURLMsg *message; (message = curl_multi_info_read(set->multi, &left));) {
        char *private = NULL;
        CURLcode code = message->data.result; // invalid once the handle is removed
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        int status = finish((struct lq_client *)(void *)private, code, err);
        if (status != LQ_OK)
            return status;
    }
    return LQ_OK;
}
