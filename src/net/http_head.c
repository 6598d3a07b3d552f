#include "net/http_head.h"

#include <string.h>
#include <strings.h>

// ---- the end of a head -------------------------------------------------------------------------

static enum lq_http_found refuse(int *code, const char **why, int as, const char *text)
{
    *code = as;
    *why = text;
    return LQ_HTTP_BAD;
}

// Lines must end in CRLF: parsers that differ over a bare LF or CR can be tricked into request
// smuggling (RFC 9112 section 2.2). Control characters are invalid (RFC 9110 section 5.5).
static bool is_control(uint8_t c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

// A line has ended at scan->at. Returns whether it ends the head.
static bool ends_head(struct lq_http_scan *scan)
{
    bool empty = scan->at - scan->line == 2;
    if (empty && !scan->begun)
        scan->skipped += 2;
    else
        scan->lines++;
    scan->begun |= !empty;
    scan->line = scan->at;
    return empty && scan->begun;
}

enum { EMPTY_BYTES_MAX = 4 }; // of empty lines before a request (RFC 9112 section 2.2)

enum lq_http_found lq_http_scan(struct lq_http_scan *scan, const uint8_t *bytes, size_t len,
                                size_t size_max, int *code, const char **why)
{
    while (scan->at < len && scan->at < size_max) {
        uint8_t c = bytes[scan->at++];
        if (scan->after_cr != (c == '\n'))
            return refuse(code, why, 400, "a line of the head does not end in CRLF");
        scan->after_cr = c == '\r';
        if (c == '\n' && ends_head(scan))
            return LQ_HTTP_WHOLE;
        if (is_control(c) && c != '\r' && c != '\n')
            return refuse(code, why, 400, "the head contains a control character");
        if (scan->skipped > EMPTY_BYTES_MAX)
            return refuse(code, why, 400, "empty lines instead of a request");
    }
    if (scan->at < size_max)
        return LQ_HTTP_MORE;
    return scan->lines == 0 ? refuse(code, why, 414, "the request line is too long")
                            : refuse(code, why, 431, "the headers are too long");
}

// ---- characters --------------------------------------------------------------------------------

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool lq_http_is_token(uint8_t c)
{
    return is_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool lq_http_decode(const char *text, size_t len, bool plus, char *out, size_t *out_len)
{
    size_t to = 0;
    for (size_t at = 0; at < len; at++) {
        char c = text[at];
        if (c == '%') {
            int high = at + 2 < len ? hex_of(text[at + 1]) : -1;
            int low = high >= 0 ? hex_of(text[at + 2]) : -1;
            if (low < 0 || high + low == 0)
                return false;
            c = (char)(high << 4 | low);
            at += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[to++] = c;
    }
    out[to] = 0;
    *out_len = to;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// Finds the next member of a list, without blanks around it; false at the list's end.
static bool next_member(const char **at, const char *end, const char **member, size_t *len)
{
    while (*at < end && (is_blank(**at) || **at == ','))
        ++*at;
    if (*at == end)
        return false;
    const char *stop = memchr(*at, ',', (size_t)(end - *at));
    const char *last = stop ? stop : end;
    *member = *at;
    *at = last;
    while (last > *member && is_blank(last[-1]))
        last--;
    *len = (size_t)(last - *member);
    return true;
}

bool lq_http_list_has(const char *list, size_t len, const char *token, bool any_case)
{
    const char *at = list, *end = list + len, *member;
    size_t size, want = strlen(token);
    while (next_member(&at, end, &member, &size))
        if (size == want && (any_case ? strncasecmp(member, token, want) == 0
                                      : memcmp(member, token, want) == 0))
            return true;
    return false;
}

// ---- request line ------------------------------------------------------------------------------

// The parser's state: the bytes, and the current line in them.
struct reading {
    struct lq_http_request_head *head;
    const char *text;
    size_t len;
    size_t at, end; // bounds of the line; its CRLF starts at `end`
    const char *why;
    int hosts, lengths, encodings, expectations;
};

static int fault(struct reading *reading, int code, const char *why)
{
    reading->why = why;
    return code;
}

static struct lq_http_part span_of(size_t at, size_t end)
{
    return (struct lq_http_part){(uint16_t)at, (uint16_t)(end - at)};
}

static bool next_line(struct reading *reading, size_t at)
{
    const char *lf = memchr(reading->text + at, '\n', reading->len - at);
    reading->at = at;
    reading->end = lf ? (size_t)(lf - reading->text) - 1 : at;
    return reading->end > at;
}

// Accepts a host and port as in RFC 3986 section 3.2.2: a name, an IPv4 address, or an IPv6 address
// in brackets. Rejects user names and characters that another parser may take for an end.
static bool is_host(const char *text, size_t len)
{
    size_t at = 0;
    if (len > 0 && text[0] == '[') {
        while (at < len && text[at] != ']')
            at++;
        for (size_t i = 1; i < at; i++)
            if (!is_alnum((uint8_t)text[i]) && !strchr(":.", text[i]))
                return false;
        if (at++ >= len || at < 4)
            return false;
    } else {
        while (at < len && (is_alnum((uint8_t)text[at]) ||
                            (text[at] && strchr("-._~!$&'()*+,;=%", text[at]))))
            at++;
    }
    if (at < len && text[at] == ':')
        for (at++; at < len && text[at] >= '0' && text[at] <= '9';)
            at++;
    return at == len;
}

// Reads the absolute-form (RFC 9112 section 3.2.2): takes the host from it, and what follows is the
// target.
static int cut_absolute(struct reading *reading, size_t at, size_t end)
{
    const char *text = reading->text;
    size_t scheme = strncasecmp(text + at, "http://", 7) == 0    ? 7
                    : strncasecmp(text + at, "https://", 8) == 0 ? 8
                                                                 : 0;
    if (scheme == 0)
        return fault(reading, 400, "the target is neither a path nor an http(s) URL");
    size_t path = at + scheme;
    while (path < end && text[path] != '/' && text[path] != '?')
        path++;
    reading->head->host = span_of(at + scheme, path);
    if (path == at + scheme || !is_host(text + at + scheme, path - at - scheme))
        return fault(reading, 400, "the target's host is ill-formed");
    if (path < end && text[path] == '?')
        return fault(reading, 400, "the target has no path");
    reading->head->target = span_of(path, end);
    return 0;
}

static int read_target(struct reading *reading, size_t at, size_t end)
{
    const char *text = reading->text;
    struct lq_http_request_head *head = reading->head;
    if (at == end)
        return fault(reading, 400, "the request line has no target");
    for (size_t i = at; i < end; i++)
        if ((uint8_t)text[i] <= 0x20 || (uint8_t)text[i] >= 0x7f || strchr("\"<>\\^`{|}#", text[i]))
            return fault(reading, 400, "the target has a character that must be written as %XX");
    head->target = span_of(at, end);
    if (head->method.len == 7 && memcmp(text + head->method.at, "CONNECT", 7) == 0)
        return fault(reading, 405, "this server is no proxy");
    if (text[at] == '/')
        return 0;
    if (end - at == 1 && text[at] == '*' && head->method.len == 7 &&
        memcmp(text + head->method.at, "OPTIONS", 7) == 0)
        return 0; // RFC 9112 section 3.2.4
    return cut_absolute(reading, at, end);
}

// "HTTP/" DIGIT "." DIGIT, with exactly one space before it (RFC 9112 section 3).
static int read_version(struct reading *reading, const char *version, size_t len)
{
    bool formed = len == 8 && memcmp(version, "HTTP/", 5) == 0 && version[6] == '.' &&
                  version[5] >= '0' && version[5] <= '9' && version[7] >= '0' && version[7] <= '9';
    if (!formed)
        return fault(reading, 400, "the request line does not end in an HTTP version");
    if (version[5] != '1' || version[7] > '1')
        return fault(reading, 505, "only HTTP/1.0 and HTTP/1.1 are supported");
    reading->head->minor = version[7] - '0';
    return 0;
}

static int read_request_line(struct reading *reading)
{
    const char *text = reading->text;
    size_t at = reading->at;
    while (at < reading->end && lq_http_is_token((uint8_t)text[at]))
        at++;
    reading->head->method = span_of(reading->at, at);
    if (at == reading->at || at == reading->end || text[at] != ' ')
        return fault(reading, 400, "the request line does not begin with a method and one space");
    size_t target = at + 1, end = target;
    while (end < reading->end && text[end] != ' ')
        end++;
    if (end == reading->end)
        return fault(reading, 400, "the request line has no version");
    int code = read_version(reading, text + end + 1, reading->end - end - 1);
    return code ? code : read_target(reading, target, end);
}

// ---- headers -----------------------------------------------------------------------------------

// Accepts only digits, and few enough to fit (RFC 9112 section 6.3).
static int read_length(struct reading *reading, const char *value, size_t len)
{
    int64_t length = 0;
    if (reading->lengths++)
        return fault(reading, 400, "Content-Length is given twice");
    if (len == 0 || len > 18)
        return fault(reading, 400, "Content-Length is not a number");
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return fault(reading, 400, "Content-Length is not a number");
        length = length * 10 + (value[i] - '0');
    }
    reading->head->content_length = length;
    return 0;
}

static int read_encoding(struct reading *reading, const char *value, size_t len)
{
    if (reading->encodings++ || len != 7 || strncasecmp(value, "chunked", 7) != 0)
        return fault(reading, 400, "Transfer-Encoding is not one 'chunked'");
    reading->head->chunked = true;
    return 0;
}

static int read_host(struct reading *reading, struct lq_http_part value)
{
    if (reading->hosts++)
        return fault(reading, 400, "Host is given twice");
    if (!is_host(reading->text + value.at, value.len))
        return fault(reading, 400, "Host is ill-formed");
    if (reading->head->host.len == 0) // unless an absolute target named it
        reading->head->host = value;
    return 0;
}

static int read_expect(struct reading *reading, const char *value, size_t len)
{
    if (len != 12 || strncasecmp(value, "100-continue", 12) != 0)
        return fault(reading, 417, "only '100-continue' can be expected here");
    reading->head->expects_continue = true;
    return 0;
}

// Reads the headers that determine framing and host.
static int read_known(struct reading *reading, const struct lq_http_field *field)
{
    const char *name = reading->text + field->name.at, *value = reading->text + field->value.at;
    size_t len = field->name.len;
    if (len == 14 && strncasecmp(name, "content-length", len) == 0)
        return read_length(reading, value, field->value.len);
    if (len == 17 && strncasecmp(name, "transfer-encoding", len) == 0)
        return read_encoding(reading, value, field->value.len);
    if (len == 4 && strncasecmp(name, "host", len) == 0)
        return read_host(reading, field->value);
    if (len == 6 && strncasecmp(name, "expect", len) == 0)
        return read_expect(reading, value, field->value.len);
    return 0;
}

// name ":" OWS value OWS. A blank before the colon and folded lines are errors (RFC 9112 sections
// 5.1 and 5.2).
static int read_field(struct reading *reading)
{
    const char *text = reading->text;
    size_t colon = reading->at, from, to = reading->end;
    if (is_blank(text[colon]))
        return fault(reading, 400, "a header continues on a second line");
    while (colon < reading->end && lq_http_is_token((uint8_t)text[colon]))
        colon++;
    if (colon == reading->at || text[colon] != ':')
        return fault(reading, 400, "a header's name is ill-formed");
    for (from = colon + 1; from < to && is_blank(text[from]);)
        from++;
    while (to > from && is_blank(text[to - 1]))
        to--;
    if (reading->head->field_count == LQ_HTTP_HEADERS_MAX)
        return fault(reading, 431, "more than 100 headers");
    struct lq_http_field *field = &reading->head->fields[reading->head->field_count++];
    field->name = span_of(reading->at, colon);
    field->value = span_of(from, to);
    return read_known(reading, field);
}

// ---- checks over all headers -------------------------------------------------------------------

// Whether a header of this name lists the token.
static bool any_lists(const struct reading *reading, const char *name, const char *token)
{
    for (int i = 0; i < reading->head->field_count; i++) {
        const struct lq_http_field *field = &reading->head->fields[i];
        if (field->name.len == strlen(name) &&
            strncasecmp(reading->text + field->name.at, name, field->name.len) == 0 &&
            lq_http_list_has(reading->text + field->value.at, field->value.len, token,
                             true))
            return true;
    }
    return false;
}

static int conclude(struct reading *reading)
{
    struct lq_http_request_head *head = reading->head;
    if (head->minor == 1 && reading->hosts == 0)
        return fault(reading, 400, "HTTP/1.1 without Host"); // RFC 9112 section 3.2
    if (head->chunked && reading->lengths)
        return fault(reading, 400, "both Content-Length and Transfer-Encoding"); // section 6.1
    if (head->chunked && head->minor == 0)
        return fault(reading, 400, "Transfer-Encoding of HTTP/1.0"); // section 6.1
    if (head->minor == 0)
        head->expects_continue = false; // RFC 9110 section 10.1.1
    head->keeps_alive = head->minor == 1 ? !any_lists(reading, "connection", "close")
                                         : any_lists(reading, "connection", "keep-alive") &&
                                               !any_lists(reading, "connection", "close");
    head->upgrades_ws = head->minor == 1 && any_lists(reading, "upgrade", "websocket") &&
                        any_lists(reading, "connection", "upgrade");
    return 0;
}

int lq_http_head_read(struct lq_http_request_head *head, const uint8_t *bytes, size_t len,
                      const char **why)
{
    struct reading reading = {.head = head, .text = (const char *)bytes, .len = len};
    size_t at = 0;
    *head = (struct lq_http_request_head){.content_length = -1};
    while (at + 4 < len && bytes[at] == '\r') // skip empty lines before it
        at += 2;
    next_line(&reading, at);
    int code = read_request_line(&reading);
    while (code == 0 && next_line(&reading, reading.end + 2))
        code = read_field(&reading);
    if (code == 0)
        code = conclude(&reading);
    *why = reading.why;
    return code;
}
