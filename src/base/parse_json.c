// A recursive-descent parser of RFC 8259 that builds jansson's values with jansson's own calls. It
// checks every allocation and changes nothing in the process.
#include "base/parse_json.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum {
    DEPTH_MAX = 2048,  // jansson's own limit: it frees values recursively
    NEAR_CHARS_MAX = 20,
};

struct reader {
    const char *text, *at, *end;
    size_t flags;
    int depth;
    json_error_t *where;
    enum json_error_code code; // of the first error
    const char *wrong;         // description without the position
    const char *wrong_at;
    struct lq_buf scratch;     // an unescaped string, or a number with its NUL
};

static json_t *fail(struct reader *reader, enum json_error_code code, const char *at,
                    const char *wrong)
{
    if (!reader->wrong) {
        reader->code = code;
        reader->wrong_at = at;
        reader->wrong = wrong;
    }
    return NULL;
}

static json_t *fail_memory(struct reader *reader)
{
    return fail(reader, json_error_out_of_memory, reader->at, "out of memory");
}

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at && strchr(" \t\r\n", *reader->at))
        reader->at++;
}

// Skips white space and returns the next byte; 0 at the end. A NUL in the text is always an error.
static char peek(struct reader *reader)
{
    skip_space(reader);
    return reader->at < reader->end ? *reader->at : 0;
}

// ---- strings ------------------------------------------------------------------------------------

// Length of the well-formed UTF-8 character at `at` (RFC 3629); 0 if it is malformed.
static size_t utf8_length(const uint8_t *at, const uint8_t *end)
{
    uint8_t first = at[0], low = 0x80, high = 0xbf;
    size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3
                 : first < 0xf5 ? 4 : 0;
    if ((size_t)(end - at) < len)
        return 0;
    if (first == 0xe0)
        low = 0xa0; // exclude overlong encodings
    else if (first == 0xed)
        high = 0x9f; // surrogates
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f; // exclude code points above U+10FFFF
    for (size_t i = 1; i < len; i++) {
        if (at[i] < low || at[i] > high)
            return 0;
        low = 0x80, high = 0xbf;
    }
    return len;
}

// Value of four hexadecimal digits, or -1.
static long hex_digits(const char *at, const char *end)
{
    long value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static size_t put_utf8(uint8_t *out, long point)
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, point >>= 6)
        out[i] = (uint8_t)(0x80 | (point & 0x3f));
    out[0] = (uint8_t)(heads[len] | point);
    return len;
}

// Reads \uXXXX or a surrogate pair; *at is at the first digit. Returns the number of bytes written;
// 0 on error.
static size_t read_unicode(struct reader *reader, const char **at, const char *end, uint8_t *out)
{
    const char *start = *at - 2;
    long point = hex_digits(*at, end);
    if (point < 0 || (point >= 0xdc00 && point <= 0xdfff)) {
        fail(reader, json_error_invalid_syntax, start, "invalid escape");
        return 0;
    }
    *at += 4;
    if (point >= 0xd800 && point <= 0xdbff) {
        long low = end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' ? hex_digits(*at + 2, end)
                                                                         : -1;
        if (low < 0xdc00 || low > 0xdfff) {
            fail(reader, json_error_invalid_syntax, start, "half a surrogate pair");
            return 0;
        }
        *at += 6;
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    if (point == 0) {
        fail(reader, json_error_null_character, start, "\\u0000 is not allowed");
        return 0;
    }
    return put_utf8(out, point);
}

// Reads one escape; *at is after the backslash. Returns the number of bytes written; 0 on error.
static size_t read_escape(struct reader *reader, const char **at, const char *end, uint8_t *out)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    char c = *at < end ? *(*at)++ : 0;
    const char *found = c ? strchr(names, c) : NULL;
    if (found) {
        *out = (uint8_t)means[found - names];
        return 1;
    }
    if (c == 'u')
        return read_unicode(reader, at, end, out);
    fail(reader, json_error_invalid_syntax, *at - 1, "invalid escape");
    return 0;
}

// Checks the string that begins at reader->at and returns its closing quote; NULL on error.
static const char *string_end(struct reader *reader, bool *escaped)
{
    const char *at = reader->at;
    *escaped = false;
    while (at < reader->end && *at != '"') {
        uint8_t c = (uint8_t)*at;
        size_t len = c == '\\' && reader->end - at > 1
                         ? 2
                         : utf8_length((const uint8_t *)at, (const uint8_t *)reader->end);
        *escaped |= c == '\\';
        if (c < 0x20)
            fail(reader, c == 0 ? json_error_null_byte_in_key : json_error_invalid_syntax, at,
                 "control character in a string");
        else if (len == 0)
            fail(reader, json_error_invalid_utf8, at, "invalid UTF-8");
        if (reader->wrong)
            return NULL;
        at += len;
    }
    if (at < reader->end)
        return at;
    fail(reader, json_error_premature_end_of_input, reader->end, "unterminated string");
    return NULL;
}

// Reads a string whose opening quote was consumed. *bytes points into the text if it has no
// escapes, else into the scratch buffer, where the next string overwrites it. False on error.
static bool read_string(struct reader *reader, const char **bytes, size_t *len)
{
    bool escaped;
    const char *stop = string_end(reader, &escaped), *at = reader->at;
    if (!stop)
        return false;
    if (!escaped) {
        *bytes = at;
        *len = (size_t)(stop - at);
        reader->at = stop + 1;
        return true;
    }
    // An escape is never shorter than what it encodes.
    if (lq_buf_resize(&reader->scratch, (size_t)(stop - at)) != LQ_OK)
        return fail_memory(reader) != NULL;
    uint8_t *out = reader->scratch.data;
    while (at < stop) {
        const char *next = memchr(at, '\\', (size_t)(stop - at));
        size_t plain = (size_t)((next ? next : stop) - at);
        memcpy(out, at, plain);
        out += plain;
        at += plain + (next != NULL);
        if (next) {
            size_t wrote = read_escape(reader, &at, stop, out);
            if (wrote == 0)
                return false;
            out += wrote;
        }
    }
    *bytes = (const char *)reader->scratch.data;
    *len = (size_t)(out - reader->scratch.data);
    reader->at = stop + 1;
    return true;
}

// ---- numbers ------------------------------------------------------------------------------------

static locale_t plain_locale;

static void make_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static const char *digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

// End of the number at `at`, or NULL if it is malformed.
static const char *number_end(const char *at, const char *end, bool *whole)
{
    at += at < end && *at == '-';
    const char *start = at;
    at = digits(at, end);
    *whole = true;
    if (at == start || (at > start + 1 && *start == '0'))
        return NULL;
    if (at < end && *at == '.') {
        start = ++at;
        at = digits(at, end);
        *whole = false;
        if (at == start)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        start = at;
        at = digits(at, end);
        *whole = false;
        if (at == start)
            return NULL;
    }
    return at;
}

static json_t *read_number(struct reader *reader)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *start = reader->at;
    bool whole;
    const char *stop = number_end(start, reader->end, &whole);
    if (!stop)
        return fail(reader, json_error_invalid_syntax, start, "invalid number");
    size_t len = (size_t)(stop - start);
    if (lq_buf_resize(&reader->scratch, len + 1) != LQ_OK)
        return fail_memory(reader);
    char *text = (char *)reader->scratch.data;
    memcpy(text, start, len);
    text[len] = 0;
    errno = 0;
    json_t *value;
    if (whole) {
        long long number = strtoll(text, NULL, 10);
        if (errno == ERANGE)
            return fail(reader, json_error_numeric_overflow, start, "integer out of range");
        value = json_integer(number);
    } else {
        // Independent of the host's locale, which may use a decimal comma.
        pthread_once(&once, make_locale);
        double number = strtod_l(text, NULL, plain_locale);
        if (!isfinite(number))
            return fail(reader, json_error_numeric_overflow, start, "number out of range");
        value = json_real(number);
    }
    reader->at = stop;
    return value ? value : fail_memory(reader);
}

// ---- values -------------------------------------------------------------------------------------

static json_t *read_value(struct reader *reader);

static json_t *read_word(struct reader *reader)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < LQ_COUNT(words); i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(reader->end - reader->at) >= len && memcmp(reader->at, words[i], len) == 0) {
            reader->at += len;
            return i == 0 ? json_true() : i == 1 ? json_false() : json_null();
        }
    }
    return fail(reader, json_error_invalid_syntax, reader->at, "invalid token");
}

static bool read_member(struct reader *reader, json_t *object)
{
    const char *bytes, *start = reader->at;
    size_t len;
    if (peek(reader) != '"')
        return fail(reader, json_error_invalid_syntax, reader->at, "string or '}' expected") !=
               NULL;
    reader->at++;
    if (!read_string(reader, &bytes, &len))
        return false;
    // Copy the key: reading the value may overwrite the scratch buffer, and jansson wants a NUL at
    // its end.
    char *key = strndup(bytes, len);
    if (!key)
        return fail_memory(reader) != NULL;
    bool done = false;
    if (reader->flags & JSON_REJECT_DUPLICATES && json_object_get(object, key))
        fail(reader, json_error_duplicate_key, start, "duplicate object key");
    else if (peek(reader) != ':')
        fail(reader, json_error_invalid_syntax, reader->at, "':' expected");
    else {
        reader->at++;
        json_t *value = read_value(reader);
        done = value && json_object_set_new_nocheck(object, key, value) == 0;
        if (value && !done)
            fail_memory(reader);
    }
    free(key);
    return done;
}

static bool read_item(struct reader *reader, json_t *array)
{
    json_t *value = read_value(reader);
    if (value && json_array_append_new(array, value) == 0)
        return true;
    if (value)
        fail_memory(reader);
    return false;
}

// Reads members or items up to `close`; the opening bracket was consumed.
static json_t *read_many(struct reader *reader, json_t *many, char close,
                         bool (*read)(struct reader *reader, json_t *many), const char *expected)
{
    bool going = many != NULL;
    if (!many)
        fail_memory(reader);
    if (going && ++reader->depth > DEPTH_MAX)
        fail(reader, json_error_stack_overflow, reader->at, "too many levels");
    if (going && !reader->wrong && peek(reader) == close)
        going = false;
    while (going && !reader->wrong && read(reader, many)) {
        char c = peek(reader);
        if (c == ',')
            reader->at++;
        else if (c == close)
            going = false;
        else
            fail(reader, json_error_invalid_syntax, reader->at, expected);
    }
    if (reader->wrong) {
        json_decref(many);
        return NULL;
    }
    reader->at++;
    reader->depth--;
    return many;
}

static json_t *read_value(struct reader *reader)
{
    const char *bytes;
    size_t len;
    char c = peek(reader);
    if (reader->at == reader->end)
        return fail(reader, json_error_premature_end_of_input, reader->at,
                    "unexpected end of text");
    if (c == '{') {
        reader->at++;
        return read_many(reader, json_object(), '}', read_member, "'}' expected");
    }
    if (c == '[') {
        reader->at++;
        return read_many(reader, json_array(), ']', read_item, "']' expected");
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(reader);
    if (c != '"')
        return read_word(reader);
    reader->at++;
    if (!read_string(reader, &bytes, &len))
        return NULL;
    json_t *value = json_stringn_nocheck(bytes, len);
    return value ? value : fail_memory(reader);
}

// ---- the document -------------------------------------------------------------------------------

// Sets line, column and an excerpt, for people.
static void explain(const struct reader *reader)
{
    json_error_t *where = reader->where;
    const char *at = reader->wrong_at, *line = reader->text;
    where->line = 1;
    for (const char *c = reader->text; c < at; c++)
        if (*c == '\n') {
            where->line++;
            line = c + 1;
        }
    for (const char *c = line; c < at; c++)
        where->column += ((uint8_t)*c & 0xc0) != 0x80;
    where->position = (int)(at - reader->text);
    int len = 0;
    while (len < NEAR_CHARS_MAX && at + len < reader->end && (uint8_t)at[len] >= 0x20 &&
           (uint8_t)at[len] < 0x7f)
        len++;
    if (reader->code == json_error_out_of_memory)
        snprintf(where->text, sizeof where->text - 1, "out of memory");
    else if (at >= reader->end)
        snprintf(where->text, sizeof where->text - 1, "%s near end of file", reader->wrong);
    else
        snprintf(where->text, sizeof where->text - 1, "%s near '%.*s'", reader->wrong, len, at);
    where->text[JSON_ERROR_TEXT_LENGTH - 1] = (char)reader->code;
}

static json_t *read_root(struct reader *reader)
{
    char c = peek(reader);
    if (c != '{' && c != '[' && !(reader->flags & JSON_DECODE_ANY))
        return fail(reader, json_error_invalid_syntax, reader->at, "'[' or '{' expected");
    json_t *root = read_value(reader);
    skip_space(reader);
    if (root && !(reader->flags & JSON_DISABLE_EOF_CHECK) && reader->at < reader->end) {
        fail(reader, json_error_end_of_input_expected, reader->at, "end of file expected");
        json_decref(root);
        root = NULL;
    }
    return root;
}

json_t *lq_json_parse(const void *text, size_t len, size_t flags, json_error_t *where)
{
    struct reader reader = {.text = text, .at = text, .end = (const char *)text + len,
                            .flags = flags, .where = where};
    memset(where, 0, sizeof *where);
    lq_buf_init(&reader.scratch, len + 1);
    json_t *root = read_root(&reader);
    if (!root)
        explain(&reader);
    lq_buf_release(&reader.scratch);
    return root;
}

bool lq_json_ran_out(const json_error_t *where)
{
    return json_error_code(where) == json_error_out_of_memory;
}

static int add_text(const char *bytes, size_t len, void *text)
{
    return lq_buf_append(text, bytes, len) == LQ_OK ? 0 : -1;
}

bool lq_json_print(const json_t *value, size_t flags, struct lq_buf *text)
{
    return value && json_dump_callback(value, add_text, text, flags) == 0;
}
