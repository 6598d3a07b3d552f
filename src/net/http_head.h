// The head of a request: request line and headers (RFC 9112 sections 2 to 6), parsed strictly.
//
// First lq_http_scan searches for its end as bytes arrive, and immediately rejects bytes that no
// head may contain; then lq_http_head_read parses it. Rejected, each with its code:
//   400  bare CR or LF, other control characters, obs-fold, a space before a colon, a name that is
//        not a token, Content-Length that is not a number or occurs twice, both Content-Length and
//        Transfer-Encoding, Transfer-Encoding other than one "chunked" or in HTTP/1.0, a Host that
//        is missing, duplicate or malformed, a target of another form, malformed %XX
//   405  CONNECT; 414 a request line that does not end; 417 an expectation other than 100-continue;
//   431  headers too long or too many; 505 a version other than 1.0 and 1.1
// Threads: any. Owner: the caller owns the bytes; a struct lq_http_request_head refers to them by
// offsets.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LQ_HTTP_HEADERS_MAX = 100, LQ_HTTP_HEAD_BYTES_MAX = 65535 };

// The search for the end of a head, as bytes arrive. Zero it for a new head.
struct lq_http_scan {
    size_t at;        // bytes read so far
    size_t line;      // start of the current line
    uint32_t lines;   // complete lines so far, not counting empty ones before the request line
    bool after_cr;
    bool begun;       // the request line has begun
    uint32_t skipped; // bytes of empty lines before it (RFC 9112 section 2.2)
};

enum lq_http_found { LQ_HTTP_MORE, LQ_HTTP_WHOLE, LQ_HTTP_BAD };

// Continues in `bytes`, which holds all `len` bytes of the head so far. WHOLE: scan->at is the
// head's length including the empty line. BAD: *code and *why say how to respond.
enum lq_http_found lq_http_scan(struct lq_http_scan *scan, const uint8_t *bytes, size_t len,
                                size_t size_max, int *code, const char **why);

struct lq_http_part {
    uint16_t at, len;
};

struct lq_http_field {
    struct lq_http_part name, value; // the value without surrounding spaces
};

struct lq_http_request_head {
    struct lq_http_part method;
    struct lq_http_part target;         // in origin form, even if an absolute one was sent; empty:
                                        // "/"
    struct lq_http_part host;           // from Host, or from an absolute target, which takes
                                        // precedence
    int minor;                          // of HTTP/1.x
    int64_t content_length;             // -1: none
    bool chunked;
    bool expects_continue;
    bool keeps_alive;
    bool upgrades_ws;                   // Upgrade: websocket and Connection: upgrade
    int field_count;
    struct lq_http_field fields[LQ_HTTP_HEADERS_MAX];
};

// Returns 0, or the code to respond with, and *why. `len` is what the scan found.
int lq_http_head_read(struct lq_http_request_head *head, const uint8_t *bytes, size_t len,
                      const char **why);

// Whether a comma-separated list (RFC 9110 section 5.6.1) contains this token; any_case: ignoring
// case.
bool lq_http_list_has(const char *list, size_t len, const char *token, bool any_case);
bool lq_http_is_token(uint8_t c); // RFC 9110 section 5.6.2
// Decodes %XX into `out`, which holds at least len + 1 bytes; plus: "+" means a space. False:
// malformed, or %00.
bool lq_http_decode(const char *text, size_t len, bool plus, char *out, size_t *out_len);
