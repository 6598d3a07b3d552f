#include "cli/site_page.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "paint/catalogue_json.h"
#include "serve/http/assets.h"
#include "serve/http/headers.h"

// Files that only a server needs: signing in, and an example of a shop's page.
static const char *const served_only[] = {"/token.html", "/token.css", "/token.js", "/embed.html",
                                          "/embed.css"};

static bool is_left_out(const char *path)
{
    for (size_t i = 0; i < LQ_COUNT(served_only); i++)
        if (strcmp(path, served_only[i]) == 0)
            return true;
    return false;
}

// Returns the text of an asset with `old` replaced; the caller frees it. If the page no longer
// contains `old`, this fails instead of writing the page without the replacement.
static char *replaced(const struct lq_asset *asset, const char *old, const char *new,
                      struct lq_error *err)
{
    const char *text = (const char *)asset->forms[LQ_CODING_IDENTITY].bytes;
    size_t len = asset->forms[LQ_CODING_IDENTITY].len;
    const char *at = memmem(text, len, old, strlen(old));
    if (!at) {
        lq_fail(err, LQ_ERR_FORMAT, "'%.60s' has no %.60s to replace", asset->path, old);
        return NULL;
    }
    int before = (int)(at - text), after = (int)(len - strlen(old)) - before;
    char *out = NULL;
    if (asprintf(&out, "%.*s%s%.*s", before, text, new, after, at + strlen(old)) < 0) {
        lq_fail(err, LQ_ERR_MEMORY, "out of memory");
        return NULL;
    }
    return out;
}

static int add_replaced(struct lq_site_plan *plan, const struct lq_asset *asset, const char *old,
                        const char *new, struct lq_error *err)
{
    char *text = replaced(asset, old, new, err);
    if (!text)
        return err->status;
    int status = lq_site_plan_add_text(plan, asset->path + 1, text, err);
    free(text);
    return status;
}

static const struct lq_asset *asset_of(const char *name)
{
    for (const struct lq_asset *asset = lq_assets; asset->path; asset++)
        if (strcmp(asset->path + 1, name) == 0)
            return asset;
    return NULL;
}

// The folder also contains modules of the page itself.
static bool is_runtime(const char *name)
{
    return strncmp(name, "device/", 7) == 0 && !asset_of(name);
}

// Whether the name contains a hash of the file's content.
static bool is_kept_for_good(const char *name)
{
    const struct lq_asset *asset = asset_of(name);
    return asset ? asset->kept == LQ_ASSET_IMMUTABLE
                 : is_runtime(name) && strcmp(name, "device/device.json") != 0;
}

// Whether the page needs the file to open offline, and the service worker does not name it itself:
// the files that replace the API, the on-device runtime, languages.
static bool is_kept_beside(const char *name, const struct lq_asset *worker)
{
    const uint8_t *text = worker->forms[LQ_CODING_IDENTITY].bytes;
    return strncmp(name, "api/", 4) == 0 || is_runtime(name) ||
           (is_kept_for_good(name) &&
            !memmem(text, worker->forms[LQ_CODING_IDENTITY].len, name, strlen(name)));
}

// Lists the names of those files, each with its hash.
static char *kept_list(const struct lq_site_plan *plan, const struct lq_asset *worker)
{
    json_t *list = json_object();
    for (int i = 0; i < plan->count; i++) {
        const struct lq_site_file *file = &plan->files[i];
        if (is_kept_beside(file->name, worker))
            json_object_set_new(list, file->name,
                                json_sprintf("%016llx", (unsigned long long)
                                              lq_site_hash(file->bytes, file->len)));
    }
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static int add_worker(struct lq_site_plan *plan, const struct lq_asset *asset,
                      struct lq_error *err)
{
    char *list = kept_list(plan, asset), *line = NULL;
    int status = LQ_ERR_MEMORY;
    if (list && asprintf(&line, "const site = %s;", list) >= 0)
        status = add_replaced(plan, asset, "const site = {};", line, err);
    else
        lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    free(list);
    free(line);
    return status;
}

static int add_asset(struct lq_site_plan *plan, const struct lq_asset *asset, struct lq_error *err)
{
    if (is_left_out(asset->path) || strcmp(asset->path, "/sw.js") == 0)
        return LQ_OK;
    // A static site has no server to send requests to.
    if (strcmp(asset->path, "/index.html") == 0)
        return add_replaced(plan, asset, "<lacquer-tryon ", "<lacquer-tryon engine=\"device\" ",
                            err);
    return lq_site_plan_add(plan, asset->path + 1, asset->forms[LQ_CODING_IDENTITY].bytes,
                            asset->forms[LQ_CODING_IDENTITY].len, err);
}

int lq_site_add_page(struct lq_site_plan *plan, struct lq_error *err)
{
    int status = LQ_OK;
    const struct lq_asset *worker = NULL;
    for (const struct lq_asset *asset = lq_assets; asset->path && status == LQ_OK; asset++) {
        status = add_asset(plan, asset, err);
        if (strcmp(asset->path, "/sw.js") == 0)
            worker = asset;
    }
    // Last, because it receives the names of all other files.
    return status == LQ_OK && worker ? add_worker(plan, worker, err) : status;
}

// Takes ownership of `root`.
static int add_json(struct lq_site_plan *plan, const char *name, json_t *root, struct lq_error *err)
{
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = lq_site_plan_add_text(plan, name, text, err);
    free(text);
    return status;
}

int lq_site_add_api(struct lq_site_plan *plan, const struct lq_catalogue *catalogue,
                    const char *model, struct lq_error *err)
{
    int status = add_json(plan, "api/looks.json", lq_catalogue_write(catalogue), err);
    if (status == LQ_OK)
        status = add_json(plan, "api/v1/info.json",
                          json_pack("{s:s, s:s, s:b}", "version", LQ_VERSION, "model", model,
                                    "device", 1), err);
    return status;
}

// ---- hosts

static int print_line(struct lq_buf *text, const char *line, size_t len)
{
    return lq_buf_printf(text, "  %.*s\n", (int)len, line);
}

// Prints the header lines that the server sends, and those that isolate the page in its own
// process: browsers only then allow it threads.
static int print_policy(struct lq_buf *text)
{
    const struct lq_serve_options options = {0};
    char lines[LQ_PAGE_POLICY_SIZE];
    lq_web_page_policy(&options, lines, sizeof lines);
    int status = lq_buf_printf(text, "/*\n");
    for (char *line = lines, *end; status == LQ_OK && (end = strstr(line, "\r\n")); line = end + 2)
        status = print_line(text, line, (size_t)(end - line));
    if (status == LQ_OK)
        status = lq_buf_printf(text, "  cross-origin-embedder-policy: require-corp\n");
    return status;
}

static int print_headers(struct lq_buf *text, const struct lq_site_plan *plan)
{
    int status = print_policy(text);
    for (int i = 0; i < plan->count && status == LQ_OK; i++)
        if (is_kept_for_good(plan->files[i].name))
            status = lq_buf_printf(text, "/%s\n  cache-control: public, max-age=31536000, "
                                   "immutable\n", plan->files[i].name);
    return status;
}

int lq_site_add_hosting(struct lq_site_plan *plan, struct lq_error *err)
{
    struct lq_buf text;
    lq_buf_init(&text, 1 << 16);
    int status = print_headers(&text, plan);
    if (status == LQ_OK)
        status = lq_buf_append(&text, "", 1);
    if (status == LQ_OK)
        status = lq_site_plan_add_text(plan, "_headers", (const char *)text.data, err);
    else
        lq_fail(err, status, "%s", lq_status_text(status));
    lq_buf_release(&text);
    // Without it GitHub Pages would process the folder with Jekyll.
    if (status == LQ_OK)
        status = lq_site_plan_add_text(plan, ".nojekyll", "\n", err);
    return status;
}
