#include "paint/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parse_json.h"
#include "paint/builtin.h"
#include "paint/look_json.h"
#include "paint/transfer.h"

struct lq_catalogue {
    int shade_count, look_count, pattern_count;
    struct lq_shade_name shades[LQ_SHADES_MAX];
    struct lq_named_look looks[LQ_LOOKS_MAX];
    struct lq_pattern *patterns[LQ_PATTERNS_MAX];
};

// ---- colour -------------------------------------------------------------------------------------

static double lab_inverse(double t)
{
    return t > 6.0 / 29.0 ? t * t * t : 3.0 * 36.0 / 841.0 * (t - 4.0 / 29.0);
}

// CIE 15; matrix of IEC 61966-2-1.
void lq_lab_to_color(const float lab[3], uint8_t color[3])
{
    double fy = ((double)lab[0] + 16.0) / 116.0;
    double x = 0.95047 * lab_inverse(fy + (double)lab[1] / 500.0), y = lab_inverse(fy);
    double z = 1.08883 * lab_inverse(fy - (double)lab[2] / 200.0);
    const double linear[3] = {3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
                              -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
                              0.0556434 * x - 0.2040259 * y + 1.0572252 * z};
    for (int k = 0; k < 3; k++)
        color[k] = (uint8_t)lrint(255.0 * lq_srgb_encode(fmin(fmax(linear[k], 0.0), 1.0)));
}

static double lab_forward(double t)
{
    return t > 216.0 / 24389.0 ? cbrt(t) : (24389.0 / 27.0 * t + 16.0) / 116.0;
}

void lq_color_to_lab(const uint8_t color[3], float lab[3])
{
    double linear[3];
    for (int k = 0; k < 3; k++) {
        double v = color[k] / 255.0;
        linear[k] = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
    }
    double x = 0.4124564 * linear[0] + 0.3575761 * linear[1] + 0.1804375 * linear[2];
    double y = 0.2126729 * linear[0] + 0.7151522 * linear[1] + 0.0721750 * linear[2];
    double z = 0.0193339 * linear[0] + 0.1191920 * linear[1] + 0.9503041 * linear[2];
    double fx = lab_forward(x / 0.95047), fy = lab_forward(y), fz = lab_forward(z / 1.08883);
    lab[0] = (float)(116.0 * fy - 16.0);
    lab[1] = (float)(500.0 * (fx - fy));
    lab[2] = (float)(200.0 * (fy - fz));
}

// ---- names --------------------------------------------------------------------------------------

static bool is_name(const char *text)
{
    size_t len = text ? strlen(text) : 0;
    return len >= 1 && len < LQ_LOOK_NAME_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

// The file name without folder and ending.
static int name_of(char name[LQ_LOOK_NAME_MAX], const char *path, struct lq_error *err)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t len = dot ? (size_t)(dot - base) : strlen(base);
    if (len < LQ_LOOK_NAME_MAX) {
        memcpy(name, base, len);
        name[len] = 0;
        if (is_name(name))
            return LQ_OK;
    }
    return lq_fail(err, LQ_ERR_FIELD, "its name must be 1 to 47 of a-z, 0-9 and '-'");
}

#define FIND(items, count, wanted)                                                                \
    for (int i = 0; i < (count); i++)                                                             \
        if (strcmp((items), (wanted)) == 0)                                                       \
            return i;                                                                             \
    return -1

static int find_shade(const struct lq_catalogue *catalogue, const char *name)
{
    FIND(catalogue->shades[i].name, catalogue->shade_count, name);
}

static int find_look(const struct lq_catalogue *catalogue, const char *name)
{
    FIND(catalogue->looks[i].name, catalogue->look_count, name);
}

static int find_pattern(const struct lq_catalogue *catalogue, const char *name)
{
    FIND(catalogue->patterns[i]->name, catalogue->pattern_count, name);
}

// ---- files --------------------------------------------------------------------------------------

static int load_json(json_t **root, const uint8_t *bytes, size_t len, int max,
                     struct lq_error *err)
{
    json_error_t where;
    *root = NULL;
    if (len > (size_t)max)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "larger than %d bytes", max);
    *root = lq_json_parse(bytes, len, JSON_REJECT_DUPLICATES, &where);
    if (!*root && lq_json_ran_out(&where))
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    return *root ? LQ_OK
                 : lq_fail(err, LQ_ERR_SYNTAX, "line %d: %.120s", where.line, where.text);
}

// Reads an optional text; `out` is empty if it is missing.
static bool read_optional(const json_t *object, const char *key, char *out, size_t size)
{
    const json_t *value = json_object_get(object, key);
    const char *text = value ? json_string_value(value) : "";
    *out = 0;
    return text && (size_t)snprintf(out, size, "%s", text) < size;
}

// Whether a page may offer the link: http(s) only, no script.
static bool is_web(const char *url)
{
    return !*url || strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
}

static int read_offer(struct lq_offer *offer, const json_t *item, int number, struct lq_error *err)
{
    const json_t *stock = json_object_get(item, "stock");
    offer->stock = stock ? (int)json_integer_value(stock) : -1;
    bool good = read_optional(item, "sku", offer->sku, sizeof offer->sku) &&
                read_optional(item, "gtin", offer->gtin, sizeof offer->gtin) &&
                read_optional(item, "brand", offer->brand, sizeof offer->brand) &&
                read_optional(item, "price", offer->price, sizeof offer->price) &&
                read_optional(item, "currency", offer->currency, sizeof offer->currency) &&
                read_optional(item, "url", offer->url, sizeof offer->url) && is_web(offer->url) &&
                (!stock || (json_is_integer(stock) && json_integer_value(stock) >= 0 &&
                            json_integer_value(stock) <= 1000000000));
    return good ? LQ_OK
                : lq_fail(err, LQ_ERR_FIELD,
                          "shade %d: sku, gtin, brand, price, currency and url must be short "
                          "texts, url one of https, stock a number of pieces",
                          number);
}

static bool read_text(const json_t *object, const char *key, char out[LQ_LOOK_NAME_MAX])
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || strlen(text) >= LQ_LOOK_NAME_MAX)
        return false;
    strcpy(out, text);
    return true;
}

static int read_shade(struct lq_shade_name *shade, const json_t *item, int number,
                      struct lq_error *err)
{
    static const float least[3] = {0, -128, -128}, most[3] = {100, 128, 128};
    const json_t *lab = json_object_get(item, "lab");
    bool good = read_text(item, "name", shade->name) && is_name(shade->name) &&
                read_text(item, "title", shade->title) &&
                read_text(item, "family", shade->family) && json_array_size(lab) == 3;
    for (size_t k = 0; good && k < 3; k++) {
        const json_t *value = json_array_get(lab, k);
        shade->lab[k] = (float)json_number_value(value);
        good = json_is_number(value) && shade->lab[k] >= least[k] && shade->lab[k] <= most[k];
    }
    if (!good)
        return lq_fail(err, LQ_ERR_FIELD,
                       "shade %d must have name, title, family and lab [L, a, b]",
                       number);
    lq_lab_to_color(shade->lab, shade->color);
    return read_offer(&shade->offer, item, number, err);
}

static int add_shades(struct lq_catalogue *catalogue, const uint8_t *bytes, size_t len,
                      struct lq_error *err)
{
    json_t *root;
    int status = load_json(&root, bytes, len, LQ_SHADES_BYTES_MAX, err);
    if (status == LQ_OK && !json_is_array(root))
        status = lq_fail(err, LQ_ERR_FIELD, "must be an array of shades");
    for (size_t i = 0; status == LQ_OK && i < json_array_size(root); i++) {
        struct lq_shade_name shade;
        status = read_shade(&shade, json_array_get(root, i), (int)i, err);
        if (status != LQ_OK)
            break;
        int at = find_shade(catalogue, shade.name);
        if (at < 0 && catalogue->shade_count == LQ_SHADES_MAX)
            status = lq_fail(err, LQ_ERR_TOO_LARGE, "more than %d shades", LQ_SHADES_MAX);
        else
            catalogue->shades[at >= 0 ? at : catalogue->shade_count++] = shade;
    }
    json_decref(root);
    return status;
}

static int add_look(struct lq_catalogue *catalogue, const char *path, const uint8_t *bytes,
                    size_t len, struct lq_error *err)
{
    struct lq_named_look named;
    json_t *root = NULL;
    int status = name_of(named.name, path, err);
    if (status == LQ_OK)
        status = load_json(&root, bytes, len, LQ_LOOK_BYTES_MAX, err);
    if (status == LQ_OK)
        status = lq_look_read(&named.look, root, catalogue, err);
    if (status == LQ_OK && !read_text(root, "title", named.title))
        strcpy(named.title, named.name);
    json_decref(root);
    if (status != LQ_OK)
        return status;
    int at = find_look(catalogue, named.name);
    if (at < 0 && catalogue->look_count == LQ_LOOKS_MAX)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "more than %d looks", LQ_LOOKS_MAX);
    catalogue->looks[at >= 0 ? at : catalogue->look_count++] = named;
    return LQ_OK;
}

// A pattern cannot be replaced: looks that were read earlier may point to it.
static int add_pattern(struct lq_catalogue *catalogue, const char *path, const uint8_t *bytes,
                       size_t len, struct lq_error *err)
{
    char name[LQ_LOOK_NAME_MAX];
    int status = name_of(name, path, err);
    if (status != LQ_OK)
        return status;
    if (find_pattern(catalogue, name) >= 0)
        return lq_fail(err, LQ_ERR_FIELD, "there is a pattern '%s' already", name);
    if (catalogue->pattern_count == LQ_PATTERNS_MAX)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "more than %d patterns", LQ_PATTERNS_MAX);
    status = lq_pattern_new(&catalogue->patterns[catalogue->pattern_count], name, bytes, len, err);
    catalogue->pattern_count += status == LQ_OK;
    return status;
}

// In the order of loading: looks refer to shades and patterns.
enum kind { KIND_SHADES, KIND_PATTERN, KIND_LOOK, KIND_COUNT, KIND_NONE };

static enum kind kind_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (strcmp(path, "shades.json") == 0)
        return KIND_SHADES;
    if (strncmp(path, "patterns/", 9) == 0)
        return dot && strcmp(dot, ".png") == 0 ? KIND_PATTERN : KIND_NONE;
    return dot && strcmp(dot, ".json") == 0 ? KIND_LOOK : KIND_NONE;
}

static int add_file(struct lq_catalogue *catalogue, const char *path, const uint8_t *bytes,
                    size_t len, struct lq_error *err)
{
    enum kind kind = kind_of(path);
    int status = kind == KIND_SHADES    ? add_shades(catalogue, bytes, len, err)
                 : kind == KIND_PATTERN ? add_pattern(catalogue, path, bytes, len, err)
                                        : add_look(catalogue, path, bytes, len, err);
    return status == LQ_OK ? LQ_OK : lq_fail_within(err, "'%.120s'", path);
}

static int add_builtins(struct lq_catalogue *catalogue, struct lq_error *err)
{
    int status = LQ_OK;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (const struct lq_builtin *file = lq_builtins; status == LQ_OK && file->path; file++)
            if ((int)kind_of(file->path) == kind)
                status = add_file(catalogue, file->path, file->bytes, file->len, err);
    return status;
}

// Adds all files of one kind in dir/sub; a missing folder counts as empty.
static int add_folder(struct lq_catalogue *catalogue, const char *dir, const char *sub,
                      enum kind kind, struct lq_buf *file, struct lq_error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, sub);
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort), status = LQ_OK;
    for (int i = 0; i < count; i++) {
        char name[512];
        snprintf(name, sizeof name, "%s%s", sub, entries[i]->d_name);
        free(entries[i]);
        if (status != LQ_OK || name[strlen(sub)] == '.' || kind_of(name) != kind)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
            status = lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.60s…'", path);
        else
            status = lq_file_read(path, file, err);
        if (status == LQ_OK)
            status = add_file(catalogue, name, file->data, file->len, err);
    }
    if (count >= 0)
        free(entries);
    return status;
}

static int add_dir(struct lq_catalogue *catalogue, const char *dir, struct lq_error *err)
{
    struct lq_buf file;
    DIR *open = opendir(dir);
    if (!open)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot open the looks folder '%.120s': %s", dir,
                       strerror(errno));
    closedir(open);
    lq_buf_init(&file, LQ_SHADES_BYTES_MAX);
    int status = add_folder(catalogue, dir, "", KIND_SHADES, &file, err);
    if (status == LQ_OK)
        status = add_folder(catalogue, dir, "patterns/", KIND_PATTERN, &file, err);
    if (status == LQ_OK)
        status = add_folder(catalogue, dir, "", KIND_LOOK, &file, err);
    lq_buf_release(&file);
    return status == LQ_OK ? LQ_OK : lq_fail_within(err, "looks");
}

int lq_catalogue_open(struct lq_catalogue **out, const char *dir, struct lq_error *err)
{
    struct lq_catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (!catalogue)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = add_builtins(catalogue, err);
    if (status == LQ_OK && dir)
        status = add_dir(catalogue, dir, err);
    if (status != LQ_OK) {
        lq_catalogue_close(catalogue);
        return status;
    }
    *out = catalogue;
    return LQ_OK;
}

void lq_catalogue_close(struct lq_catalogue *catalogue)
{
    for (int i = 0; catalogue && i < catalogue->pattern_count; i++)
        lq_pattern_free(catalogue->patterns[i]);
    free(catalogue);
}

const struct lq_shade_name *lq_catalogue_shades(const struct lq_catalogue *catalogue, int *count)
{
    *count = catalogue->shade_count;
    return catalogue->shades;
}

const struct lq_named_look *lq_catalogue_looks(const struct lq_catalogue *catalogue, int *count)
{
    *count = catalogue->look_count;
    return catalogue->looks;
}

const struct lq_pattern *const *lq_catalogue_patterns(const struct lq_catalogue *catalogue,
                                                      int *count)
{
    *count = catalogue->pattern_count;
    return (const struct lq_pattern *const *)catalogue->patterns;
}

const struct lq_shade_name *lq_catalogue_shade(const struct lq_catalogue *catalogue,
                                               const char *name)
{
    int at = find_shade(catalogue, name);
    return at >= 0 ? &catalogue->shades[at] : NULL;
}

const struct lq_named_look *lq_catalogue_look(const struct lq_catalogue *catalogue,
                                              const char *name)
{
    int at = find_look(catalogue, name);
    return at >= 0 ? &catalogue->looks[at] : NULL;
}

const struct lq_pattern *lq_catalogue_pattern(const struct lq_catalogue *catalogue,
                                              const char *name)
{
    int at = find_pattern(catalogue, name);
    return at >= 0 ? catalogue->patterns[at] : NULL;
}
