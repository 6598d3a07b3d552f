#include "engine/http_client.h"

#include <curl/curl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/trace.h"

// A frame's tensors are a megabyte or more: large buffers mean fewer callbacks.
enum { CONNECT_MS = 1000, HEADERS_MAX = 64 * 1024, SEND_BUFFER = 512 * 1024,
       RECEIVE_BUFFER = 256 * 1024 };

struct lq_http {
    CURL *curl;
    struct lq_http_call *call;
    int span;          // the span being sent, and the offset in it
    size_t span_at;
    size_t header_bytes;
    int status;        // set by a callback that stopped the transfer
    char words[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global_status;

static void init_once(void)
{
    global_status = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_send(char *out, size_t size, size_t count, void *context)
{
    struct lq_http *http = context;
    const struct lq_http_call *call = http->call;
    size_t room = size * count, sent = 0;
    while (http->span < call->body_count && sent < room) {
        const struct lq_http_span *span = &call->body[http->span];
        size_t len = span->len - http->span_at;
        len = len < room - sent ? len : room - sent;
        memcpy(out + sent, (const uint8_t *)span->bytes + http->span_at, len);
        sent += len;
        http->span_at += len;
        if (http->span_at == span->len) {
            http->span++;
            http->span_at = 0;
        }
    }
    return sent;
}

// curl rewinds the body if a reused connection turns out to be closed.
static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct lq_http *http = context;
    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    http->span = 0;
    http->span_at = 0;
    return CURL_SEEKFUNC_OK;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    static const char name[] = "Inference-Header-Content-Length:";
    struct lq_http *http = context;
    size_t len = size * count, name_len = sizeof name - 1;
    http->header_bytes += len;
    if (http->header_bytes > HEADERS_MAX) {
        http->status = LQ_ERR_TOO_LARGE;
        return 0;
    }
    if (len > name_len && strncasecmp(line, name, name_len) == 0) {
        char digits[16] = "";
        size_t rest = len - name_len;
        memcpy(digits, line + name_len, rest < sizeof digits ? rest : sizeof digits - 1);
        char *end;
        long value = strtol(digits, &end, 10);
        // A value that is no plain number becomes LONG_MAX: the caller rejects it as too long.
        http->call->reply_head_len =
            strspn(end, " \r\n") == strlen(end) && value >= 0 ? value : LONG_MAX;
    }
    return len;
}

static size_t on_receive(char *bytes, size_t size, size_t count, void *context)
{
    struct lq_http *http = context;
    int status = lq_buf_append(http->call->reply, bytes, size * count);
    if (status != LQ_OK) {
        http->status = status;
        return 0;
    }
    return size * count;
}

int lq_http_new(struct lq_http **out, struct lq_error *err)
{
    pthread_once(&once, init_once);
    struct lq_http *http = calloc(1, sizeof *http);
    if (http && global_status == CURLE_OK)
        http->curl = curl_easy_init();
    if (!http || !http->curl) {
        lq_http_free(http);
        return lq_fail(err, LQ_ERR_MEMORY, "cannot start an HTTP client");
    }
    CURL *curl = http->curl;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else // deprecated since 7.85, but Ubuntu 22.04 has 7.81
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); // inference servers are never behind a proxy
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->words);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(curl, CURLOPT_READDATA, http);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, http);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
    const char *authorities = getenv("SSL_CERT_FILE"); // as OpenSSL's own programs do
    if (authorities && *authorities)
        curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    *out = http;
    return LQ_OK;
}

void lq_http_free(struct lq_http *http)
{
    if (!http)
        return;
    if (http->curl)
        curl_easy_cleanup(http->curl);
    free(http);
}

static int explain(const struct lq_http *http, CURLcode code, struct lq_error *err)
{
    const char *words = http->words[0] ? http->words : curl_easy_strerror(code);
    if (http->status == LQ_ERR_TOO_LARGE || code == CURLE_FILESIZE_EXCEEDED)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "its response is longer than expected");
    if (http->status != LQ_OK)
        return lq_fail(err, http->status, "out of memory for its response");
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return lq_fail(err, LQ_ERR_TIMEOUT, "no response in time");
    case CURLE_URL_MALFORMAT:
        return lq_fail(err, LQ_ERR_ARGUMENT, "not an http:// address");
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: // a response without a status line
    case CURLE_BAD_CONTENT_ENCODING:
        return lq_fail(err, LQ_ERR_SYNTAX, "%.120s", words);
    default:
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "%.120s", words);
    }
}

int lq_http_call(struct lq_http *http, struct lq_http_call *call, struct lq_error *err)
{
    CURL *curl = http->curl;
    uint64_t now = lq_clock_us();
    if (now >= call->deadline_us)
        return lq_fail(err, LQ_ERR_TIMEOUT, "no time is left for a request");
    long left_ms = (long)((call->deadline_us - now + 999) / 1000);
    size_t body = 0;
    for (int i = 0; i < call->body_count; i++)
        body += call->body[i].len;
    http->call = call;
    http->span = 0;
    http->span_at = http->header_bytes = 0;
    http->status = LQ_OK;
    http->words[0] = '\0';
    call->http_status = 0;
    call->reply_head_len = -1;
    lq_buf_clear(call->reply);
    // curl would send "Expect: 100-continue", which costs every frame a round trip.
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    if (call->head_len > 0) {
        char line[80];
        snprintf(line, sizeof line, "Inference-Header-Content-Length: %ld", call->head_len);
        headers = curl_slist_append(headers, line);
        headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
    } else if (call->post) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
    }
    if (*lq_trace_parent()) {
        char line[LQ_TRACE_SIZE + 16];
        snprintf(line, sizeof line, "traceparent: %s", lq_trace_parent());
        headers = curl_slist_append(headers, line);
    }
    curl_easy_setopt(curl, CURLOPT_URL, call->url);
    curl_easy_setopt(curl, call->post ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
    if (call->post)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, left_ms < CONNECT_MS ? left_ms : CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->reply->max);
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return explain(http, code, err);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    call->http_status = (int)status;
    return LQ_OK;
}
