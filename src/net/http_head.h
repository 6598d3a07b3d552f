// The head of a request: request line and headers (RFC 9112 sections 2 to 6), read strictly.
//
// First lq_http_scan looks for its end as bytes come, and refuses at once what no head may hold;
// then lq_http_head_read takes it apart. Refused are, each with its code:
//   400  bare CR or LF, other control characters, obs-fold, a blank before a colon, a name that is
//        no token, Content-Length that is no number or given twice, both Content-Length and
//        Transfer-Encoding, Transfer-Encoding other than one "chunked" or of HTTP/1.0, Host that is
//        missing, double or ill-formed, a target of another form, ill-formed %XX, CONNECT (405)
//   405 CONNECT, 414 a request line that does not end, 417 another expectation than 100-continue,
//   431 headers too long or too many, 505 another version than 1.0 and 1.1
// Threads: any. Owner: the caller's bytes; a struct lq_http_request_head points into them by
// offsets.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LQ_HTTP_HEADERS_MAX = 100, LQ_HTTP_HEAD_BYTES_MAX = 65535 };

// Where a head ends, looked for as bytes come. Zeroed for a new head.
struct lq_http_scan {
    size_t at;        // bytes read so far
    size_t line;      // where the present line starts
    uint32_t lines;   // whole ones so far, without empty ones before the request line
    bool after_cr;
    bool begun;       // the request line has begun
    uint32_t skipped; // bytes of empty lines before it (RFC 9112 section 2.2)
};

enum lq_http_found { LQ_HTTP_MORE, LQ_HTTP_WHOLE, LQ_HTTP_BAD };

// Goes on in `bytes`, all of the head so far, which is `len` long. WHOLE: scan->at is its length
// with the empty line. BAD: *code and *why say how to answer.
enum lq_http_found lq_http_scan(struct lq_http_scan *scan, const uint8_t *bytes, size_t len,
                                size_t size_max, int *code, const char **why);

struct lq_http_part {
    uint16_t at, len;
};

struct lq_http_field {
    struct lq_http_part name, value; // the value without blanks around it
};

struct lq_http_request_head {
    struct lq_http_part method;
    struct lq_http_part target;         // in origin form, also of an absolute one; empty: "/"
    struct lq_http_part host;           // of Host, or of an absolute target, which counts more
    int minor;                          // of HTTP/1.x
    int64_t content_length;             // -1: none
    bool chunked;
    bool expects_continue;
    bool keeps_alive;
    bool upgrades_ws;                   // Upgrade: websocket and Connection: upgrade
    int field_count;
    struct lq_http_field fields[LQ_HTTP_HEADERS_MAX];
};

// 0: read, else the code to answer with and *why. `len` is what the scan found.
int lq_http_head_read(struct lq_http_request_head *head, const uint8_t *bytes, size_t len,
                      const char **why);

// Whether a comma-separated list (RFC 9110 section 5.6.1) has this token, in any case or this one.
bool lq_http_list_has(const char *list, size_t len, const char *token, bool any_case);
bool lq_http_is_token(uint8_t c); // RFC 9110 section 5.6.2
// %XX decoded into `out` of at least len + 1 bytes; plus: "+" is a blank. False: ill-formed, or
// %00.
bool lq_http_decode(const char *text, size_t len, bool plus, char *out, size_t *out_len);
