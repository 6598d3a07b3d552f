// The HTTP API: takes a posted picture, waits for a worker, and responds. A request is a session of
// one frame.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "config.h"
#include "model/model.h"
#include "paint/catalogue_json.h"
#include "serve/http/api.h"
#include "serve/http/headers.h"
#include "serve/message/form.h"
#include "serve/message/frame_request.h"
#include "serve/sched/admission.h"

static bool is_type(const char *type, const char *wanted)
{
    size_t len = strlen(wanted);
    return strncasecmp(type, wanted, len) == 0 && (!type[len] || strchr("; \t", type[len]));
}

// Rejects a body with a Content-Encoding, which would be taken for a damaged picture.
static int check_encoding(struct lq_web_request *request, struct lq_error *err)
{
    char coding[64];
    int len = lq_http_header_all(request->http, "content-encoding", coding, sizeof coding);
    if (len <= 0 || strcasecmp(coding, "identity") == 0)
        return LQ_OK;
    lq_web_add_header(request, "accept-encoding: identity"); // RFC 9110 section 15.5.16
    return lq_fail(err, LQ_ERR_FORMAT,
                   "Content-Encoding %.40s is not supported: send the body unencoded", coding);
}

static bool is_json(const char *type)
{
    size_t len = strcspn(type, "; \t");
    return is_type(type, "application/json") || is_type(type, "text/json") ||
           (len > 5 && strncasecmp(type, "application/", 12) == 0 &&
            strncasecmp(type + len - 5, "+json", 5) == 0);
}

// Reads JSON or a form. Its fields are the same on both paths; declared JSON is accepted only on
// one of them.
static int read_fields_form(struct lq_frame_request *wanted, const char *path, const char *type,
                            struct lq_error *err)
{
    bool json_path = strcmp(path, "/api/process_base64") == 0;
    if (is_type(type, "multipart/form-data")) {
        wanted->body_form = LQ_BODY_MULTIPART;
        return lq_form_boundary(type, wanted->boundary, sizeof wanted->boundary, err);
    }
    bool form = is_type(type, "application/x-www-form-urlencoded");
    wanted->body_form = json_path && is_json(type) ? LQ_BODY_JSON
                     : form                     ? LQ_BODY_URLENCODED
                                                : LQ_BODY_TEXT;
    if (wanted->body_form != LQ_BODY_TEXT || !*type || is_type(type, "text/plain"))
        return LQ_OK;
    return lq_fail(err, LQ_ERR_FORMAT, json_path ? "%s wants application/json"
                                                 : "%s wants multipart/form-data or "
                                                   "application/x-www-form-urlencoded", path);
}

// Determines the body's form from the path and the declared type.
static int read_form(struct lq_web_request *request, struct lq_frame_request *wanted,
                     struct lq_error *err)
{
    const char *type = lq_http_header(request->http, "content-type");
    if (!type)
        type = "";
    int status = check_encoding(request, err);
    if (status != LQ_OK)
        return status;
    const char *path = request->route->path;
    if (strcmp(path, "/api/v1/nails") != 0)
        return read_fields_form(wanted, path, type, err);
    wanted->body_form = LQ_BODY_PICTURE;
    wanted->reply_form = LQ_REPLY_NAILS;
    static const char *const types[] = {"image/jpeg", "image/jpg",  "image/png",
                                        "image/webp", "image/avif", "image/heic",
                                        "image/heif", "application/octet-stream"};
    for (size_t i = 0; i < LQ_COUNT(types); i++)
        if (!*type || is_type(type, types[i]))
            return LQ_OK;
    return lq_fail(err, LQ_ERR_FORMAT, "%s wants image/jpeg, image/png, image/webp, image/avif or "
                   "image/heic", path);
}

static void on_ready(struct lq_session *session)
{
    lq_web_wake(session->owner);
}

void lq_api_start(struct lq_web_request *request)
{
    static const struct lq_cost_peek small = {640 * 480, 1};
    const struct lq_serve_options *options = request->web->options;
    struct lq_admission *admission = request->web->admission;
    struct lq_error error;
    struct lq_frame_request wanted = {
        .look = lq_look_default(),
        .catalogue = options->catalogue,
        .jpeg_quality = options->jpeg_quality,
        .reply_form = request->accept_jpeg ? LQ_REPLY_PICTURE : LQ_REPLY_JSON,
        .ack = -1,
    };
    if (read_form(request, &wanted, &error) != LQ_OK) {
        lq_web_fail(request, &error);
        return;
    }
    request->session =
        lq_admission_admit(admission, request->http, LQ_VIA_HTTP, request, on_ready, &error);
    // Before the body arrives: the request may be refused whatever it contains.
    const struct lq_still still = {LQ_TURN_LIGHT, lq_cost_us(&admission->cost, &small)};
    if (!request->session || lq_admission_check_still(admission, request->session, &still,
                                                      &request->retry_s, &error) != LQ_OK) {
        lq_web_fail(request, &error);
        return;
    }
    lq_charge_begin(&request->held, request->session->holder);
    struct lq_frame_slot *slot = lq_session_fill(request->session);
    slot->request = wanted;
    request->body = &slot->body;
}

void lq_api_body_done(struct lq_web_request *request)
{
    lq_admission_count_in(request->web->admission, LQ_VIA_HTTP, request->body->len);
    request->body = NULL;
    lq_charge_set(&request->held, 0); // from now on the slot is charged for it
    lq_web_wait(request);
    lq_admission_post(request->web->admission, request->session);
}

static void add_timing(struct lq_web_request *request, const struct lq_frame_slot *slot)
{
    char text[512] = "";
    for (int i = 0; i < LQ_STAGE_COUNT; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s;dur=%.2f, ",
                 lq_stage_name((enum lq_stage)i), slot->stage_us[i] / 1e3);
    lq_web_add_header(request, "server-timing: %stotal;dur=%.2f, queue;dur=%.2f", text,
                          slot->total_us / 1e3, slot->queue_us / 1e3);
    lq_web_add_header(request, "x-nails: %d", slot->nails);
}

void lq_api_wake(struct lq_web_request *request)
{
    const struct lq_frame_slot *slot = request->session ? lq_session_reply(request->session) : NULL;
    struct lq_error error;
    if (!slot)
        return;
    if (slot->part_count == 0) {
        lq_fail(&error, LQ_ERR_MEMORY, "out of memory");
        lq_web_fail(request, &error);
        return;
    }
    const struct lq_part *part = &slot->parts[0];
    lq_web_add_header(request, "cache-control: no-store");
    if (slot->retry_s)
        lq_web_add_header(request, "retry-after: %d", slot->retry_s);
    if (part->picture) {
        add_timing(request, slot);
        lq_web_respond(request, 200, "image/jpeg", slot->picture.data + part->at, part->len);
    } else {
        lq_web_respond(request, lq_status_http(slot->status), "application/json",
                          slot->message.data + part->at, part->len);
    }
    lq_admission_count_out(request->web->admission, LQ_VIA_HTTP, slot);
}

void lq_api_closed(struct lq_web_request *request)
{
    // It has been answered: finish its frame, so that it does not count as dropped.
    if (request->code && request->session && lq_session_reply(request->session))
        lq_session_release(request->session);
    lq_admission_dismiss(request->web->admission, LQ_VIA_HTTP, request->session);
    request->session = NULL;
}

// Takes ownership of `root`.
static void answer_json(struct lq_web_request *request, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    struct lq_error error;
    if (text && lq_buf_append(&request->text, text, strlen(text)) == LQ_OK) {
        lq_web_add_header(request, "cache-control: no-cache");
        lq_web_respond_text(request, 200, "application/json");
    } else {
        lq_fail(&error, LQ_ERR_MEMORY, "out of memory");
        lq_web_fail(request, &error);
    }
    free(text);
}

void lq_api_info(struct lq_web_request *request)
{
    const struct lq_model_info *model = lq_model_info(request->web->model);
    json_t *finishes = json_array();
    for (int i = 0; i < LQ_FINISH_COUNT; i++)
        json_array_append_new(finishes, json_string(lq_finish_name((enum lq_finish)i)));
    json_t *limits = json_pack("{s:i, s:i, s:i, s:i, s:i}", "body_bytes", LQ_BODY_BYTES_MAX,
                               "message_bytes", LQ_MESSAGE_BYTES_MAX, "pixels",
                               LQ_FRAME_PIXELS_MAX, "side", LQ_PICTURE_SIDE_MAX, "in_flight",
                               LQ_IN_FLIGHT_MAX);
    json_t *info = json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:b, s:o, s:o}", "version", LQ_VERSION, "model",
        model->name ? model->name : "", "engine", model->engine ? model->engine : "", "precision",
        lq_precision_name(model->precision), "jpeg_quality", request->web->options->jpeg_quality,
        "device", request->web->device.count > 0, "limits", limits, "finishes", finishes);
    answer_json(request, info);
}

void lq_api_looks(struct lq_web_request *request)
{
    answer_json(request, lq_catalogue_write(request->web->options->catalogue));
}
