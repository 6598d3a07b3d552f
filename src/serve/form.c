#include "serve/form.h"

#include <string.h>
#include <strings.h>

void lq_form_init_urlencoded(struct lq_form *form, uint8_t *body, size_t len)
{
    // An empty body may come without memory.
    *form = (struct lq_form){.at = (char *)body, .end = len ? (char *)body + len : (char *)body};
}

// Where `needle` is in what is left, or NULL.
static char *find(const struct lq_form *form, const char *needle, size_t len)
{
    return memmem(form->at, (size_t)(form->end - form->at), needle, len);
}

static bool starts(const struct lq_form *form, const char *text, size_t len)
{
    return (size_t)(form->end - form->at) >= len && memcmp(form->at, text, len) == 0;
}

int lq_form_init_multipart(struct lq_form *form, uint8_t *body, size_t len, const char *boundary,
                           struct lq_error *err)
{
    lq_form_init_urlencoded(form, body, len);
    form->boundary = boundary;
    form->boundary_len = strlen(boundary);
    if (!starts(form, "--", 2))
        return lq_fail(err, LQ_ERR_SYNTAX, "form does not begin with its boundary");
    form->at += 2;
    if (!starts(form, boundary, form->boundary_len))
        return lq_fail(err, LQ_ERR_SYNTAX, "form does not begin with its boundary");
    form->at += form->boundary_len;
    return LQ_OK;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes %xx and + in place; the text only gets shorter. Returns the new end, NULL when damaged.
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

static int next_urlencoded(struct lq_form *form, struct lq_form_field *field, struct lq_error *err)
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

// The value of name="…" in a part's Content-Disposition line.
static bool find_name(const char *line, const char *end, struct lq_form_field *field)
{
    static const char header[] = "content-disposition:";
    if ((size_t)(end - line) < sizeof header - 1 ||
        strncasecmp(line, header, sizeof header - 1) != 0)
        return false;
    for (const char *at = line + sizeof header - 1; at + 6 < end; at++) {
        // "filename=" ends in "name=" too, so what stands before must not be a letter.
        if (strncasecmp(at, "name=\"", 6) != 0 || (at[-1] != ' ' && at[-1] != ';'))
            continue;
        const char *name = at + 6, *quote = memchr(name, '"', (size_t)(end - name));
        if (!quote)
            return false;
        field->name = name;
        field->name_len = (size_t)(quote - name);
        return true;
    }
    return false;
}

static int cut_short(struct lq_error *err)
{
    return lq_fail(err, LQ_ERR_SYNTAX, "form is cut short");
}

static int next_multipart(struct lq_form *form, struct lq_form_field *field, struct lq_error *err)
{
    if (starts(form, "--", 2))
        return 0;
    if (!starts(form, "\r\n", 2))
        return cut_short(err);
    form->at += 2;
    *field = (struct lq_form_field){.name = ""};
    for (;;) {
        char *end = find(form, "\r\n", 2);
        if (!end)
            return cut_short(err);
        bool blank = end == form->at;
        find_name(form->at, end, field);
        form->at = end + 2;
        if (blank)
            break;
    }
    field->value = form->at;
    for (;;) {
        char *end = find(form, "\r\n--", 4);
        if (!end)
            return cut_short(err);
        form->at = end + 4;
        if (starts(form, form->boundary, form->boundary_len)) {
            form->at += form->boundary_len;
            field->value_len = (size_t)(end - field->value);
            return 1;
        }
    }
}

int lq_form_next(struct lq_form *form, struct lq_form_field *field, struct lq_error *err)
{
    return form->boundary ? next_multipart(form, field, err) : next_urlencoded(form, field, err);
}

int lq_form_boundary(const char *content_type, char *boundary, size_t size, struct lq_error *err)
{
    const char *at = strcasestr(content_type, "boundary=");
    if (!at)
        return lq_fail(err, LQ_ERR_SYNTAX, "multipart form without a boundary");
    at += strlen("boundary=");
    bool quoted = *at == '"';
    at += quoted;
    size_t len = strcspn(at, quoted ? "\"" : "; ");
    if (len == 0 || len >= size)
        return lq_fail(err, LQ_ERR_SYNTAX, "multipart form with an unusable boundary");
    memcpy(boundary, at, len);
    boundary[len] = 0;
    return LQ_OK;
}

bool lq_form_field_is(const struct lq_form_field *field, const char *name)
{
    return field->name_len == strlen(name) && memcmp(field->name, name, field->name_len) == 0;
}
