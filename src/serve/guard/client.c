#include "serve/guard/client.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HOPS_MAX = 32, LIST_CHARS_MAX = 2048 };

struct item {
    const char *at;
    size_t len;
};

// The last items of a list, in order.
struct list {
    struct item items[HOPS_MAX];
    int count;
};

static void add(struct list *list, const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (at < end && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (at == end)
        return;
    if (list->count == HOPS_MAX)
        memmove(list->items, list->items + 1, sizeof *list->items * --list->count);
    list->items[list->count++] = (struct item){at, (size_t)(end - at)};
}

// quotes: separators inside "…" do not separate.
static void split(struct list *list, struct item text, char separator, bool quotes)
{
    const char *start = text.at, *end = text.at + text.len;
    bool quoted = false;
    list->count = 0;
    for (const char *at = start; at < end; at++) {
        if (quotes && *at == '"')
            quoted = !quoted;
        else if (*at == separator && !quoted) {
            add(list, start, at);
            start = at + 1;
        }
    }
    add(list, start, end);
}

static void split_commas(struct list *list, const char *text, bool quotes)
{
    split(list, (struct item){text, text ? strlen(text) : 0}, ',', quotes);
}

static struct item unquoted(struct item value)
{
    if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
        return (struct item){value.at + 1, value.len - 2};
    return value;
}

// The value of one pair in an element of Forwarded ("for=…;host=…"); `at` is NULL if it is missing.
static struct item pair_of(struct item element, const char *name)
{
    struct list pairs;
    size_t len = strlen(name);
    split(&pairs, element, ';', true);
    for (int i = 0; i < pairs.count; i++) {
        struct item pair = pairs.items[i];
        if (pair.len > len && pair.at[len] == '=' && strncasecmp(pair.at, name, len) == 0)
            return unquoted((struct item){pair.at + len + 1, pair.len - len - 1});
    }
    return (struct item){NULL, 0};
}

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1" or "[2001:db8::1]:80".
static bool read_address(struct lq_net_address *address, struct item text)
{
    char copy[64];
    const char *at = text.at, *end = at + text.len;
    const char *colon = text.len ? memchr(at, ':', text.len) : NULL;
    if (text.len && *at == '[') {
        end = memchr(at, ']', text.len);
        at++;
    } else if (colon && !memchr(colon + 1, ':', (size_t)(end - colon - 1))) {
        end = colon;
    }
    if (!end || (size_t)(end - at) >= sizeof copy)
        return false;
    snprintf(copy, sizeof copy, "%.*s", (int)(end - at), at);
    return lq_net_address_parse(address, copy);
}

bool lq_client_is_trusted(const struct lq_net_block *trusted, int trusted_count,
                          const struct lq_net_address *address)
{
    for (int i = 0; i < trusted_count; i++)
        if (lq_net_block_has(&trusted[i], address))
            return true;
    return false;
}

// Steps from hop to hop, to the left, as long as the hops are trusted. Returns the item that names
// the client, or -1.
static int walk(struct lq_net_address *client, const struct list *hops, bool pairs,
                const struct lq_net_block *trusted, int trusted_count)
{
    int found = -1;
    for (int i = hops->count - 1; i >= 0; i--) {
        struct lq_net_address hop;
        struct item text = pairs ? pair_of(hops->items[i], "for") : hops->items[i];
        if (!lq_client_is_trusted(trusted, trusted_count, client) || !text.at ||
            !read_address(&hop, text))
            break;
        *client = hop;
        found = i;
    }
    return found;
}

static bool is_host(struct item text)
{
    static const char set[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    for (size_t i = 0; i < text.len; i++)
        if (!text.at[i] || !strchr(set, text.at[i]))
            return false;
    return text.len > 0;
}

static void set_host(struct lq_client_info *client, struct item text)
{
    if (text.at && text.len < sizeof client->host && is_host(text))
        snprintf(client->host, sizeof client->host, "%.*s", (int)text.len, text.at);
}

static void set_scheme(struct lq_client_info *client, struct item text)
{
    if (text.at)
        client->secure = (text.len == 5 && strncasecmp(text.at, "https", 5) == 0) ||
                         (text.len == 3 && strncasecmp(text.at, "wss", 3) == 0);
}

// The value set by the hop that named the client: if each hop added one value, the one at the same
// position; else the last, which the nearest proxy set.
static struct item value_from(const struct list *values, const struct list *hops, int hop)
{
    if (values->count == 0)
        return (struct item){NULL, 0};
    return values->items[hop >= 0 && values->count == hops->count ? hop : values->count - 1];
}

static void read_forwarded(struct lq_client_info *client, const struct list *elements, int hop)
{
    if (hop < 0)
        return;
    set_host(client, pair_of(elements->items[hop], "host"));
    set_scheme(client, pair_of(elements->items[hop], "proto"));
}

static bool is_same(const struct lq_net_address *a, const struct lq_net_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void lq_client_read(struct lq_client_info *client, const struct lq_net_block *trusted,
                    int trusted_count, const struct lq_client_facts *facts)
{
    struct list hops, elements, hosts, schemes;
    *client = (struct lq_client_info){.address = facts->peer, .secure = facts->tls};
    set_host(client, (struct item){facts->host, facts->host ? strlen(facts->host) : 0});
    client->behind = lq_client_is_trusted(trusted, trusted_count, &facts->peer);
    if (!client->behind)
        return;
    struct lq_net_address by_hops = facts->peer, by_elements = facts->peer;
    split_commas(&hops, facts->forwarded_for, false);
    split_commas(&elements, facts->forwarded, true);
    int hop = walk(&by_hops, &hops, false, trusted, trusted_count);
    int element = walk(&by_elements, &elements, true, trusted, trusted_count);
    // A proxy writes one of the two headers and may forward the other as its client wrote it. If
    // they disagree, it is unknown which one to trust, so the proxy itself counts as the client.
    if (!facts->forwarded)
        client->address = by_hops;
    else if (!facts->forwarded_for || is_same(&by_hops, &by_elements))
        client->address = by_elements;
    if (!facts->forwarded_for && !facts->forwarded_host && !facts->forwarded_proto)
        read_forwarded(client, &elements, element);
    split_commas(&hosts, facts->forwarded_host, false);
    split_commas(&schemes, facts->forwarded_proto, false);
    set_host(client, value_from(&hosts, &hops, hop));
    set_scheme(client, value_from(&schemes, &hops, hop));
}

// A list that is too long to read counts as malformed.
static const char *list_of(const struct lq_http_request *http, const char *name, char *text)
{
    int len = lq_http_header_all(http, name, text, LIST_CHARS_MAX);
    return len < 0 ? NULL : len < LIST_CHARS_MAX ? text : "";
}

void lq_client_of(struct lq_client_info *client, const struct lq_serve_options *options,
                  const struct lq_http_request *http)
{
    char texts[4][LIST_CHARS_MAX];
    struct lq_client_facts facts = {.peer = *lq_http_client(http),
                                    .tls = lq_http_is_tls(http),
                                    .host = lq_http_host(http)};
    if (lq_client_is_trusted(options->trusted_proxies, options->trusted_proxy_count, &facts.peer)) {
        facts.forwarded_for = list_of(http, "x-forwarded-for", texts[0]);
        facts.forwarded_host = list_of(http, "x-forwarded-host", texts[1]);
        facts.forwarded_proto = list_of(http, "x-forwarded-proto", texts[2]);
        facts.forwarded = list_of(http, "forwarded", texts[3]);
    }
    lq_client_read(client, options->trusted_proxies, options->trusted_proxy_count, &facts);
}
