// Requests as they arrive on a connection: heads and bodies one after the other. The result is the
// same whatever pieces they are cut into.
#include <string.h>

#include "fuzz/fuzz.h"
#include "net/http_body.h"
#include "net/http_head.h"

enum { HEAD_MAX = 16384 };

// The result of reading: a checksum over everything that was parsed.
struct reading {
    uint64_t sum;
    size_t used;
    int requests, code;
};

static void add(struct reading *reading, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        reading->sum = reading->sum * 31 + ((const uint8_t *)bytes)[i];
}

static void add_span(struct reading *reading, const uint8_t *bytes, struct lq_http_part span)
{
    add(reading, bytes + span.at, span.len);
    add(reading, &span.len, sizeof span.len);
}

static void add_head(struct reading *reading, const struct lq_http_request_head *head,
                     const uint8_t *bytes)
{
    char path[HEAD_MAX + 1];
    size_t len;
    add_span(reading, bytes, head->method);
    add_span(reading, bytes, head->target);
    add_span(reading, bytes, head->host);
    for (int i = 0; i < head->field_count; i++) {
        add_span(reading, bytes, head->fields[i].name);
        add_span(reading, bytes, head->fields[i].value);
    }
    if (lq_http_decode((const char *)bytes + head->target.at, head->target.len, false, path, &len))
        add(reading, path, len);
}

// Reads a body of which `step` bytes arrive at a time. Returns its length; -1: malformed.
static ptrdiff_t read_body(struct reading *reading, const struct lq_http_request_head *head,
                           const uint8_t *bytes, size_t len, size_t step)
{
    struct lq_http_body body;
    size_t at = 0;
    lq_http_body_start(&body, head->chunked ? -1 : head->content_length > 0 ? head->content_length
                                                                            : 0);
    for (size_t end = 0; end < len && !body.whole;) {
        end = len - end < step ? len : end + step;
        while (at < end && !body.whole) {
            ptrdiff_t took = lq_http_body_frame(&body, bytes + at, end - at);
            if (took < 0)
                return -1;
            at += (size_t)took;
            uint64_t payload = lq_http_body_payload(&body);
            size_t part = payload < end - at ? (size_t)payload : end - at;
            add(reading, bytes + at, part);
            lq_http_body_consume(&body, part);
            at += part;
        }
    }
    FUZZ_CHECK(at <= len);
    return body.whole ? (ptrdiff_t)at : (ptrdiff_t)len + 1;
}

// Reads one request; false: it is the last one.
static bool read_one(struct reading *reading, const uint8_t *bytes, size_t len, size_t step)
{
    struct lq_http_scan scan = {0};
    struct lq_http_request_head head;
    const char *why;
    enum lq_http_found found = LQ_HTTP_MORE;
    for (size_t end = 0; end < len && found == LQ_HTTP_MORE;) {
        end = len - end < step ? len : end + step;
        found = lq_http_scan(&scan, bytes, end, HEAD_MAX, &reading->code, &why);
    }
    if (found != LQ_HTTP_WHOLE)
        return false;
    FUZZ_CHECK(scan.at <= len && scan.at <= HEAD_MAX);
    reading->code = lq_http_head_read(&head, bytes, scan.at, &why);
    if (reading->code != 0)
        return false;
    FUZZ_CHECK(!(head.chunked && head.content_length >= 0));
    add_head(reading, &head, bytes);
    reading->requests++;
    ptrdiff_t took = read_body(reading, &head, bytes + scan.at, len - scan.at, step);
    if (took < 0)
        reading->code = 400;
    reading->used += scan.at + (took > 0 ? (size_t)took : 0);
    return took >= 0 && reading->used < len;
}

static struct reading read_all(const uint8_t *bytes, size_t len, size_t step)
{
    struct reading reading = {0};
    size_t from = 0;
    while (read_one(&reading, bytes + from, len - from, step) && reading.used < len)
        from = reading.used;
    return reading;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct reading whole = read_all(bytes, len, len ? len : 1), cut = read_all(bytes, len, 1);
    FUZZ_CHECK(whole.sum == cut.sum && whole.requests == cut.requests && whole.code == cut.code);
    return 0;
}
