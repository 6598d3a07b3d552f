// Parses form bodies in place: application/x-www-form-urlencoded and multipart/form-data (RFC
// 7578). Multipart forms are accepted as clients really send them: names with or without quotes,
// lines ended by CRLF or LF, headers in any order and folded, text before the first boundary and
// after the last, parts in base64. Pure functions on bytes.
// Threads: any. Owner: the caller owns the body; encoded fields are decoded in place.
#pragma once

#include <stdbool.h>

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct lq_form_field {
    const char *name;  // not NUL-terminated
    size_t name_len;
    const char *value; // a file's bytes or a field's text, not NUL-terminated
    size_t value_len;
};

struct lq_web_form {
    char *at, *end;
    const char *boundary; // NULL: urlencoded
    size_t boundary_len;
    bool crlf;            // its lines end in CRLF, as they should; some clients use LF
};

void lq_form_init_urlencoded(struct lq_web_form *form, uint8_t *body, size_t len);
// boundary: without its leading "--". SYNTAX: the body does not contain it.
LQ_MUST_CHECK int lq_form_init_multipart(struct lq_web_form *form, uint8_t *body, size_t len,
                                         const char *boundary, struct lq_error *err);

// Returns 1 with the next field, 0 at the end, or a negative status.
LQ_MUST_CHECK int lq_form_next(struct lq_web_form *form, struct lq_form_field *field,
                               struct lq_error *err);

// Copies the boundary from a Content-Type value. SYNTAX: there is none, or it is too long.
LQ_MUST_CHECK int lq_form_boundary(const char *content_type, char *boundary, size_t size,
                                   struct lq_error *err);

bool lq_form_field_is(const struct lq_form_field *field, const char *name);
