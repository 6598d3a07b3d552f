#include "serve/http/negotiate.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"

static const struct { const char *name; enum lq_coding coding; } names[] = {
    {"identity", LQ_CODING_IDENTITY},
    {"gzip", LQ_CODING_GZIP},
    {"x-gzip", LQ_CODING_GZIP},
    {"br", LQ_CODING_BROTLI},
};

const char *lq_coding_name(enum lq_coding coding)
{
    static const char *const sent[] = {NULL, "gzip", "br"};
    return sent[coding];
}

// An element of a list: a coding and its weight.
struct element {
    const char *name;
    size_t len;
    int weight; // thousandths
};

static const char *skip(const char *text, const char *set)
{
    return text + strspn(text, set);
}

// Reads "0.25" as 250. A malformed weight gives 0, so its coding is not used.
static int read_weight(const char **text)
{
    const char *at = *text;
    if (*at != '0' && *at != '1')
        return 0;
    int weight = 1000 * (*at++ - '0');
    if (*at == '.')
        at++;
    for (int unit = 100; unit && isdigit((unsigned char)*at); unit /= 10)
        weight += unit * (*at++ - '0');
    *text = at;
    return weight > 1000 ? 0 : weight;
}

// Reads an element and moves *text past its comma; false at the list's end.
static bool read_element(const char **text, struct element *element)
{
    const char *at = skip(*text, ", \t");
    *element = (struct element){at, strcspn(at, ",; \t"), 1000};
    if (!element->len)
        return false;
    at = skip(at + element->len, " \t");
    if (*at == ';') {
        at = skip(at + 1, " \t");
        bool named = (*at == 'q' || *at == 'Q') && at[1] == '=';
        at += named ? 2 : 0;
        element->weight = named ? read_weight(&at) : 0;
        at = skip(at, " \t");
    }
    // Unexpected text follows: the element is unknown.
    if (*at && *at != ',')
        element->weight = 0;
    *text = at + strcspn(at, ",");
    return true;
}

static bool is_named(const struct element *element, const char *name)
{
    return strlen(name) == element->len && strncasecmp(element->name, name, element->len) == 0;
}

int lq_coding_choose(const char *accept, unsigned available)
{
    int weights[LQ_CODING_COUNT], other = -1;
    struct element element;
    memset(weights, -1, sizeof weights);
    while (accept && read_element(&accept, &element)) {
        if (is_named(&element, "*"))
            other = element.weight;
        for (size_t i = 0; i < LQ_COUNT(names); i++)
            if (is_named(&element, names[i].name))
                weights[names[i].coding] = element.weight;
    }
    int best = -1, best_weight = 0;
    for (int coding = LQ_CODING_COUNT - 1; coding >= 0; coding--) {
        int weight = weights[coding] >= 0 ? weights[coding] : other;
        // identity need not be listed: it is acceptable unless refused, but least preferred.
        if (coding == LQ_CODING_IDENTITY && weight < 0 && best < 0)
            return coding;
        if (available & 1u << coding && weight > best_weight) {
            best = coding;
            best_weight = weight;
        }
    }
    return best;
}

bool lq_etag_is_listed(const char *list, const char *etag)
{
    size_t len = strlen(etag);
    list = skip(list, " \t");
    if (*list == '*' && !*skip(list + 1, " \t"))
        return true;
    for (list = skip(list, ", \t"); *list; list = skip(list, ", \t")) {
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        const char *end = *list == '"' ? strchr(list + 1, '"') : NULL;
        if (!end)
            return false;
        if ((size_t)(end + 1 - list) == len && strncmp(list, etag, len) == 0)
            return true;
        list = end + 1;
    }
    return false;
}
