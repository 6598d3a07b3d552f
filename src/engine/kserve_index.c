// Reads what a server reports about itself and its models.
#include <stdio.h>
#include <string.h>

#include "engine/kserve_read.h"

enum { NAMES_MAX = 12 };

bool lq_kserve_speaks_binary(const void *json, size_t len)
{
    json_t *root = lq_kserve_parse(json, len);
    const json_t *extensions = json_object_get(root, "extensions");
    bool speaks = false;
    for (size_t i = 0; i < json_array_size(extensions) && !speaks; i++) {
        const char *name = json_string_value(json_array_get(extensions, i));
        speaks = name && (strcmp(name, "binary_tensor_data") == 0 ||
                          strcmp(name, "binary_tensor_data_extension") == 0);
    }
    json_decref(root);
    return speaks;
}

// Entries are objects in an index, and plain names in a list.
static const char *name_of(const json_t *entry)
{
    return json_string_value(json_is_string(entry) ? entry : json_object_get(entry, "name"));
}

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text ? text : "";
}

// A server in explicit model control mode lists models that are not loaded without a state.
static bool is_ready(const json_t *entry)
{
    return json_is_string(entry) || strcmp(text_of(entry, "state"), "READY") == 0;
}

static bool is_listed(const json_t *list, size_t before, const char *name)
{
    bool listed = false;
    for (size_t i = 0; i < before && !listed; i++) {
        const char *other = name_of(json_array_get(list, i));
        listed = other && strcmp(other, name) == 0;
    }
    return listed;
}

static void add(char *text, size_t size, const char *before, const char *word, const char *after)
{
    size_t len = strlen(text);
    snprintf(text + len, size - len, "%s%.60s%s", before, word, after);
}

// Lists each name once and marks models that are not ready.
static void list_names(char *text, size_t size, const json_t *list)
{
    int listed = 0, left = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *name = name_of(entry);
        if (!name || is_listed(list, i, name))
            continue;
        bool room = listed < NAMES_MAX && strlen(text) + strlen(name) + 32 < size;
        left += !room;
        if (!room)
            continue;
        add(text, size, listed ? ", " : ": there are ", name,
            is_ready(entry) ? "" : " (not ready)");
        listed++;
    }
    char count[16];
    snprintf(count, sizeof count, "%d", left);
    if (left)
        add(text, size, " and ", count, " more");
    else if (!listed)
        add(text, size, "", ": there is none", "");
}

// Describes the requested model: its state, or the versions that exist instead of the requested
// one.
static void describe_model(char *text, size_t size, const json_t *list, const char *model,
                           const char *version)
{
    char versions[64] = "";
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *name = name_of(entry), *here = text_of(entry, "version");
        if (!name || strcmp(name, model) != 0)
            continue;
        if (*version && strcmp(version, here) != 0 && (*here || is_ready(entry))) {
            add(versions, sizeof versions, *versions ? ", " : "", *here ? here : "no versions", "");
            continue;
        }
        const char *state = text_of(entry, "state"), *reason = text_of(entry, "reason");
        snprintf(text, size, "its model '%.60s' is not ready%s%.20s%s%.100s", model,
                 *state ? ": " : " (not loaded)", state, *reason ? ", " : "", reason);
        return;
    }
    if (*versions)
        snprintf(text, size, "it has no model '%.60s' of version %.20s: there are %s", model,
                 version,
                 versions);
}

bool lq_kserve_read_index(char *text, size_t size, const char *model, const char *version,
                          const void *json, size_t len)
{
    json_t *root = lq_kserve_parse(json, len);
    const json_t *list = json_is_array(root) ? root : json_object_get(root, "models");
    bool is_list = json_is_array(list);
    text[0] = '\0';
    if (is_list) {
        describe_model(text, size, list, model, version);
        if (!*text) {
            snprintf(text, size, "it has no model '%.60s'", model);
            list_names(text, size, list);
        }
    }
    json_decref(root);
    return is_list;
}
