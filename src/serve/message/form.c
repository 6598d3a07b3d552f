#include "serve/message/form.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"

void lq_form_init_urlencoded(struct lq_web_form *form, uint8_t *body, size_t len)
{
    // An empty body may have no memory. A line end after the last field is not part of its value.
    while (len > 0 && (body[len - 1] == '\n' || body[len - 1] == '\r'))
        len--;
    *form = (struct lq_web_form){.at = (char *)body,
                                 .end = len ? (char *)body + len : (char *)body};
}

static bool starts(const struct lq_web_form *form, const char *text, size_t len)
{
    return (size_t)(form->end - form->at) >= len && memcmp(form->at, text, len) == 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes %xx and + in place, because the text only gets shorter. Returns the new end; NULL if it
// is malformed.
static char *decode(char *text, char *end)
{
    char *out = text;
    for (; text < end; text++) {
        if (*text == '%') {
            int high = end - text > 2 ? hex(text[1]) : -1, low = high < 0 ? -1 : hex(text[2]);
            if (low < 0)
                return NULL;
            *out++ = (char)(high << 4 | low);
            text += 2;
        } else {
            *out++ = *text == '+' ? ' ' : *text;
        }
    }
    return out;
}

static int next_urlencoded(struct lq_web_form *form, struct lq_form_field *field,
                           struct lq_error *err)
{
    if (form->at >= form->end)
        return 0;
    char *stop = memchr(form->at, '&', (size_t)(form->end - form->at));
    char *end = stop ? stop : form->end;
    char *equals = memchr(form->at, '=', (size_t)(end - form->at));
    char *name_end = decode(form->at, equals ? equals : end);
    char *value = equals ? equals + 1 : end;
    char *value_end = decode(value, end);
    if (!name_end || !value_end)
        return lq_fail(err, LQ_ERR_SYNTAX, "form has a damaged %%-escape");
    *field = (struct lq_form_field){form->at, (size_t)(name_end - form->at), value,
                                    (size_t)(value_end - value)};
    form->at = stop ? stop + 1 : form->end;
    return 1;
}

// ---- header parameters -------------------------------------------------------------------------

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n'; // also the line end of a folded header
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

struct parameter {
    const char *name, *value;
    size_t name_len, value_len;
};

// Reads a quoted value, without its quotes. An unclosed one extends to the end.
static const char *read_quoted(const char *at, const char *end, struct parameter *parameter)
{
    parameter->value = ++at;
    while (at < end && *at != '"')
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    parameter->value_len = (size_t)(at - parameter->value);
    return at < end ? at + 1 : end;
}

// Reads the next "; name=value" at *at, quoted or not (RFC 9110 section 5.6.6); false at the end.
static bool next_parameter(const char **at, const char *end, struct parameter *parameter)
{
    const char *p = *at;
    while (p < end && *p != ';')
        p++;
    if (p == end)
        return false;
    parameter->name = p = skip_blanks(p + 1, end);
    while (p < end && *p != '=' && *p != ';' && !is_blank(*p))
        p++;
    parameter->name_len = (size_t)(p - parameter->name);
    p = skip_blanks(p, end);
    parameter->value = p;
    parameter->value_len = 0;
    if (p < end && *p == '=') {
        p = skip_blanks(p + 1, end);
        if (p < end && *p == '"') {
            *at = read_quoted(p, end, parameter);
            return true;
        }
        parameter->value = p;
        while (p < end && *p != ';' && !is_blank(*p))
            p++;
        parameter->value_len = (size_t)(p - parameter->value);
    }
    *at = p;
    return true;
}

static bool is_name(const struct parameter *parameter, const char *name)
{
    return parameter->name_len == strlen(name) &&
           strncasecmp(parameter->name, name, parameter->name_len) == 0;
}

// ---- multipart ---------------------------------------------------------------------------------

static int cut_short(struct lq_error *err)
{
    return lq_fail(err, LQ_ERR_SYNTAX, "form is cut short");
}

// The end of this line, at its CR or LF; NULL if there is none. *next is where the next one begins.
static char *line_end(const struct lq_web_form *form, char *at, char **next)
{
    char *newline = memchr(at, '\n', (size_t)(form->end - at));
    if (!newline)
        return NULL;
    *next = newline + 1;
    return newline > at && newline[-1] == '\r' ? newline - 1 : newline;
}

// Whether a boundary is followed by what it must be: "--" for the last one, or only blanks on its
// line.
static bool is_delimiter(const struct lq_web_form *form, char *after)
{
    if (form->end - after >= 2 && after[0] == '-' && after[1] == '-')
        return true;
    while (after < form->end && (*after == ' ' || *after == '\t'))
        after++;
    return after < form->end &&
           (*after == '\n' || (*after == '\r' && after + 1 < form->end && after[1] == '\n'));
}

// Finds "--boundary" at the beginning of a line, from `from` on; NULL if there is none.
static char *find_delimiter(const struct lq_web_form *form, char *from)
{
    for (char *at = from; at < form->end;) {
        char *dash = memmem(at, (size_t)(form->end - at), "--", 2);
        if (!dash || (size_t)(form->end - dash) < 2 + form->boundary_len)
            return NULL;
        bool begins = dash == from || dash[-1] == '\n';
        if (begins && memcmp(dash + 2, form->boundary, form->boundary_len) == 0 &&
            is_delimiter(form, dash + 2 + form->boundary_len))
            return dash;
        at = dash + 1;
    }
    return NULL;
}

int lq_form_init_multipart(struct lq_web_form *form, uint8_t *body, size_t len,
                           const char *boundary, struct lq_error *err)
{
    *form = (struct lq_web_form){.at = (char *)body, .end = len ? (char *)body + len : (char *)body,
                             .boundary = boundary, .boundary_len = strlen(boundary)};
    // Text before the first boundary is for readers that do not support multipart; it is ignored.
    char *first = find_delimiter(form, form->at);
    if (!first)
        return lq_fail(err, LQ_ERR_SYNTAX, "form does not contain the boundary named in its "
                                           "Content-Type");
    form->at = first + 2 + form->boundary_len;
    char *next, *end = line_end(form, form->at, &next);
    form->crlf = !end || *end == '\r';
    return LQ_OK;
}

static bool header_is(const char *line, const char *end, const char *name_colon)
{
    size_t len = strlen(name_colon);
    return (size_t)(end - line) >= len && strncasecmp(line, name_colon, len) == 0;
}

// Reads name="image", name=image, and name*=utf-8''image, which some clients send although forms
// must not use it.
static void read_disposition(const char *line, const char *end, struct lq_form_field *field)
{
    struct parameter parameter;
    for (const char *at = line; next_parameter(&at, end, &parameter);) {
        bool extended = is_name(&parameter, "name*");
        if (!extended && !is_name(&parameter, "name"))
            continue;
        field->name = parameter.value;
        field->name_len = parameter.value_len;
        for (int quotes = 0; extended && quotes < 2 && field->name_len > 0; field->name_len--)
            quotes += *field->name++ == '\'';
        return;
    }
}

enum encoding { AS_IT_IS, BASE64, UNKNOWN };

static enum encoding read_encoding(const char *value, const char *end)
{
    static const char *const plain[] = {"binary", "8bit", "7bit"};
    value = skip_blanks(value, end);
    size_t len = 0;
    while (value + len < end && !is_blank(value[len]) && value[len] != ';')
        len++;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (len == strlen(plain[i]) && strncasecmp(value, plain[i], len) == 0)
            return AS_IT_IS;
    return len == 6 && strncasecmp(value, "base64", 6) == 0 ? BASE64 : UNKNOWN;
}

// Reads a part's headers, up to the empty line; a folded line belongs to the one before.
static int read_headers(struct lq_web_form *form, struct lq_form_field *field,
                        enum encoding *encoding, struct lq_error *err)
{
    static const char disposition[] = "content-disposition:";
    static const char transfer[] = "content-transfer-encoding:";
    for (;;) {
        char *line = form->at, *next, *end = line_end(form, line, &next);
        if (!end)
            return cut_short(err);
        bool blank = end == line;
        while (!blank && next < form->end && (*next == ' ' || *next == '\t'))
            if (!(end = line_end(form, next, &next)))
                return cut_short(err);
        form->at = next;
        if (blank)
            return LQ_OK;
        if (header_is(line, end, disposition))
            read_disposition(line, end, field);
        else if (header_is(line, end, transfer))
            *encoding = read_encoding(line + sizeof transfer - 1, end);
    }
}

// Decodes the value in place of its base64, which is longer.
static int decode_value(struct lq_form_field *field, char *value, struct lq_error *err)
{
    struct lq_buf decoded;
    lq_buf_init(&decoded, field->value_len ? field->value_len : 1);
    int status = lq_base64_decode(value, field->value_len, &decoded, err);
    if (status == LQ_OK) {
        if (decoded.len)
            memcpy(value, decoded.data, decoded.len);
        field->value_len = decoded.len;
    }
    lq_buf_release(&decoded);
    return status;
}

static int next_multipart(struct lq_web_form *form, struct lq_form_field *field,
                          struct lq_error *err)
{
    enum encoding encoding = AS_IT_IS;
    char *next;
    if (starts(form, "--", 2))
        return 0; // text after the last boundary is ignored
    if (!line_end(form, form->at, &next))
        return cut_short(err);
    form->at = next;
    *field = (struct lq_form_field){.name = ""};
    int status = read_headers(form, field, &encoding, err);
    if (status != LQ_OK)
        return status;
    char *value = form->at, *delimiter = find_delimiter(form, value);
    if (!delimiter)
        return cut_short(err);
    // The line end before a boundary belongs to it.
    char *end = delimiter;
    if (end > value && end[-1] == '\n')
        end -= form->crlf && end - 1 > value && end[-2] == '\r' ? 2 : 1;
    field->value = value;
    field->value_len = (size_t)(end - value);
    form->at = delimiter + 2 + form->boundary_len;
    if (encoding == UNKNOWN)
        return lq_fail(err, LQ_ERR_SYNTAX, "form has a part with a Content-Transfer-Encoding that "
                                           "is not supported: send it as binary or base64");
    status = encoding == BASE64 ? decode_value(field, value, err) : LQ_OK;
    return status == LQ_OK ? 1 : status;
}

int lq_form_next(struct lq_web_form *form, struct lq_form_field *field, struct lq_error *err)
{
    return form->boundary ? next_multipart(form, field, err) : next_urlencoded(form, field, err);
}

int lq_form_boundary(const char *content_type, char *boundary, size_t size, struct lq_error *err)
{
    struct parameter parameter;
    const char *end = content_type + strlen(content_type);
    for (const char *at = content_type; next_parameter(&at, end, &parameter);) {
        if (!is_name(&parameter, "boundary"))
            continue;
        if (parameter.value_len == 0 || parameter.value_len >= size)
            return lq_fail(err, LQ_ERR_SYNTAX, "multipart form with an unusable boundary");
        memcpy(boundary, parameter.value, parameter.value_len);
        boundary[parameter.value_len] = 0;
        return LQ_OK;
    }
    return lq_fail(err, LQ_ERR_SYNTAX, "multipart form without a boundary: let the library that "
                                       "writes the form set Content-Type");
}

bool lq_form_field_is(const struct lq_form_field *field, const char *name)
{
    return field->name_len == strlen(name) && memcmp(field->name, name, field->name_len) == 0;
}
