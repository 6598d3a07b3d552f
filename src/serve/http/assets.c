// Serves the page: from the table in the binary, or with --web from a folder; and the files of its
// on-device engine.
#include "serve/http/assets.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "serve/http/asset_type.h"
#include "serve/http/headers.h"
#include "serve/http/request.h"

static void not_found(struct lq_web_request *request)
{
    struct lq_error error;
    lq_fail(&error, LQ_ERR_NOT_FOUND, "there is nothing at this path");
    lq_web_fail(request, &error);
}

static const struct lq_asset *find(const char *path)
{
    for (const struct lq_asset *asset = lq_assets; asset->path; asset++)
        if (strcmp(asset->path, path) == 0)
            return asset;
    return NULL;
}

// Whether the path contains no hidden file and no "..".
static bool is_plain(const char *path)
{
    return *path == '/' && !strstr(path, "/.") && !strchr(path, '\\');
}

static void respond_from_folder(struct lq_web_request *request, int status, const char *path)
{
    char name[4096];
    const char *index = path[0] && path[strlen(path) - 1] == '/' ? "index.html" : "";
    int len = snprintf(name, sizeof name, "%s%s%s", request->web->options->web_dir, path, index);
    if (!is_plain(path) || len < 0 || (size_t)len >= sizeof name ||
        lq_file_read(name, &request->text, NULL) != LQ_OK) {
        not_found(request);
        return;
    }
    lq_web_add_header(request, "cache-control: no-store");
    lq_web_respond_text(request, status, lq_asset_type(name));
}

// A header's complete value; NULL if it is missing or unreasonably long.
static const char *header(const struct lq_web_request *request, const char *name, char *text,
                          size_t size)
{
    int len = lq_http_header_all(request->http, name, text, size);
    return len >= 0 && (size_t)len + 1 < size ? text : NULL;
}

static int choose_coding(const struct lq_web_request *request, const struct lq_asset *asset)
{
    char accept[1024];
    unsigned available = 0;
    for (int coding = 0; coding < LQ_CODING_COUNT; coding++)
        available |= (asset->forms[coding].bytes != NULL) << coding;
    return lq_coding_choose(header(request, "accept-encoding", accept, sizeof accept), available);
}

// Each coding has a tag of its own, as a strong one must: the bytes differ.
static void add_validators(struct lq_web_request *request, const struct lq_asset *asset,
                           const char *etag)
{
    static const char *const kept[] = {"no-cache", "max-age=300", "max-age=31536000, immutable"};
    lq_web_add_header(request, "etag: %s", etag);
    lq_web_add_header(request, "cache-control: %s", kept[asset->kept]);
}

static void respond(struct lq_web_request *request, const struct lq_asset *asset,
                    enum lq_coding coding, int status)
{
    const char *name = lq_coding_name(coding);
    char etag[64], list[2048];
    snprintf(etag, sizeof etag, "\"%s%s%s\"", asset->hash, name ? "-" : "", name ? name : "");
    const char *had = header(request, "if-none-match", list, sizeof list);
    bool unchanged = status == 200 && had && lq_etag_is_listed(had, etag);
    if (status == 200)
        add_validators(request, asset, etag);
    else
        lq_web_add_header(request, "cache-control: no-store");
    lq_web_add_header(request, "vary: accept-encoding");
    if (name && !unchanged)
        lq_web_add_header(request, "content-encoding: %s", name);
    if (unchanged)
        lq_web_respond(request, 304, asset->type, NULL, 0);
    else
        lq_web_respond(request, status, asset->type, asset->forms[coding].bytes,
                          asset->forms[coding].len);
}

void lq_asset_start(struct lq_web_request *request)
{
    const char *path = lq_http_path(request->http);
    lq_asset_respond(request, 200, strcmp(path, "/") == 0 ? "/index.html" : path);
}

void lq_asset_respond(struct lq_web_request *request, int status, const char *path)
{
    const struct lq_asset *asset = lq_device_files_find(&request->web->device, path);
    if (!asset && request->web->options->web_dir) {
        respond_from_folder(request, status, path);
        return;
    }
    asset = asset ? asset : find(path);
    if (!asset) {
        not_found(request);
        return;
    }
    int coding = choose_coding(request, asset);
    if (coding < 0) {
        lq_web_add_header(request, "vary: accept-encoding");
        lq_web_fail_as(request, 406, LQ_ERR_ARGUMENT,
                           "accept-encoding allows none of this file's encodings: br, gzip or "
                           "identity");
        return;
    }
    respond(request, asset, (enum lq_coding)coding, status);
}
