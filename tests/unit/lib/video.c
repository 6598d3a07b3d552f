// Requests of include/lacquer.h: videos, full looks, pixel formats, masks, JSON, and misuse.
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "unit/lib/context.h"

static int width, height;

static uint8_t *decode(int format, int bytes)
{
    int subsampling, space;
    tjhandle decoder = tjInitDecompress();
    assert_ok(tjDecompressHeader3(decoder, file, file_len, &width, &height, &subsampling, &space));
    uint8_t *pixels = malloc((size_t)width * (size_t)height * (size_t)bytes);
    assert_non_null(pixels);
    assert_ok(tjDecompress2(decoder, file, file_len, pixels, 0, 0, 0, format, 0));
    tjDestroy(decoder);
    return pixels;
}

static int process(uint8_t *pixels, enum lacquer_pixel_format format, int bytes,
                   const struct lacquer_request *request, struct lacquer_response *response)
{
    struct lacquer_image image = {pixels, width, height, (size_t)width * (size_t)bytes, format};
    return lacquer_process_pixels(context, request, &image, response);
}

static void ids_last_through_a_video(void **state)
{
    (void)state;
    struct lacquer_video *video;
    struct lacquer_request request = LACQUER_REQUEST_INIT;
    struct lacquer_response response = LACQUER_RESPONSE_INIT;
    uint8_t *pixels = decode(TJPF_RGB, 3);
    int first[32], count = 0, largest = 0;
    assert_ok(lacquer_video_new(&video));
    request.video = video;
    request.flags = LACQUER_FIND_HANDS;
    for (int frame = 0; frame < 4; frame++) {
        request.time_us = (uint64_t)frame * 33333;
        assert_ok(process(pixels, LACQUER_RGB, 3, &request, &response));
        assert_true(response.nail_count >= 3);
        for (int i = 0; i < response.nail_count; i++) {
            if (frame == 0)
                first[count++] = response.nails[i].id;
            else
                assert_int_equal(response.nails[i].id, first[i]);
            largest = response.nails[i].id > largest ? response.nails[i].id : largest;
        }
    }
    assert_int_equal(count, response.nail_count);
    lacquer_video_reset(video);
    request.time_us += 33333;
    assert_ok(process(pixels, LACQUER_RGB, 3, &request, &response));
    for (int i = 0; i < response.nail_count; i++)
        assert_true(response.nails[i].id > largest);
    lacquer_video_free(video);
    lacquer_video_free(NULL);
    free(pixels);
}

static void fingers_and_directions_come_from_the_hand(void **state)
{
    (void)state;
    struct lacquer_request request = LACQUER_REQUEST_INIT;
    struct lacquer_response response = LACQUER_RESPONSE_INIT;
    request.flags = LACQUER_FIND_HANDS | LACQUER_MULTI_SCALE;
    assert_ok(lacquer_process_file(context, &request, file, file_len, &response));
    int known = 0, fingers = 0;
    for (int i = 0; i < response.nail_count; i++) {
        known += response.nails[i].tip_known && response.nails[i].tip_confidence > 0.5f;
        fingers |= 1 << response.nails[i].finger;
        assert_true(response.nails[i].area > 0 && isfinite(response.nails[i].curvature));
    }
    assert_true(known >= 3);
    assert_true(__builtin_popcount((unsigned)fingers & ~1u) >= 3);
    assert_true(response.passes > 1);
    assert_null(response.bytes); // nothing was to be painted
}

static uint8_t *paint(const char *look, int format, enum lacquer_pixel_format order, int bytes)
{
    char error[256];
    struct lacquer_full_look *whole;
    struct lacquer_request request = LACQUER_REQUEST_INIT;
    if (lacquer_full_look_new(&whole, look, strlen(look), NULL, error, sizeof error) != LACQUER_OK)
        fail_msg("%s", error);
    request.full_look = whole;
    request.flags = LACQUER_FIND_HANDS;
    uint8_t *pixels = decode(format, bytes);
    assert_ok(process(pixels, order, bytes, &request, NULL));
    lacquer_full_look_free(whole);
    return pixels;
}

static long differing(const uint8_t *a, const uint8_t *b)
{
    long count = 0;
    for (long i = 0; i < (long)width * height * 3; i++)
        count += abs(a[i] - b[i]) > 8;
    return count;
}

static void a_full_look_has_more_than_one_polish(void **state)
{
    (void)state;
    uint8_t *plain = paint("{\"color\": \"#202080\"}", TJPF_RGB, LACQUER_RGB, 3);
    uint8_t *fingers = paint("{\"color\": \"#202080\", \"fingers\": {\"ring\": {\"color\": "
                             "\"#ffffff\"}}}", TJPF_RGB, LACQUER_RGB, 3);
    uint8_t *longer = paint("{\"color\": \"#202080\", \"shape\": {\"kind\": \"stiletto\", "
                            "\"length\": 0.8}}", TJPF_RGB, LACQUER_RGB, 3);
    uint8_t *bare = decode(TJPF_RGB, 3);
    long all = differing(plain, bare), one = differing(plain, fingers);
    assert_true(one > 200 && one < all);
    assert_true(differing(longer, bare) > all); // beyond the nails' tips
    free(plain), free(fingers), free(longer), free(bare);
}

static void the_order_of_colours_is_the_callers(void **state)
{
    (void)state;
    static const struct {
        int format, bytes, red, blue;
        enum lacquer_pixel_format order;
    } kinds[] = {{TJPF_BGR, 3, 2, 0, LACQUER_BGR}, {TJPF_RGBA, 4, 0, 2, LACQUER_RGBA},
                 {TJPF_BGRA, 4, 2, 0, LACQUER_BGRA}};
    uint8_t *rgb = paint("{\"color\": \"#d01010\"}", TJPF_RGB, LACQUER_RGB, 3);
    uint8_t *bare = decode(TJPF_RGB, 3);
    for (size_t k = 0; k < 3; k++) {
        uint8_t *other = paint("{\"color\": \"#d01010\"}", kinds[k].format, kinds[k].order,
                               kinds[k].bytes);
        long strange = 0;
        for (long i = 0; i < (long)width * height; i++) {
            const uint8_t *a = rgb + i * 3, *b = other + i * kinds[k].bytes;
            const int theirs[3] = {b[kinds[k].red], b[1], b[kinds[k].blue]};
            for (int c = 0; c < 3; c++)
                strange += abs(a[c] - theirs[c]) > (kinds[k].bytes == 3 ? 0 : 8);
            assert_true(kinds[k].bytes == 3 || b[3] == 255);
        }
        // Pixels of four bytes are processed by other loops, whose rounding may move a nail's edge.
        assert_true(strange <= (kinds[k].bytes == 3 ? 0 : differing(rgb, bare) / 50));
        free(other);
    }
    free(rgb), free(bare);
}

static void looks_say_what_is_wrong_in_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told;
    } wrong[] = {{"{\"colour_\": 1}", "colour_"}, {"no-such-look", "no-such-look"},
                 {"{\"fingers\": {\"ring\": {\"opacity\": 7}}}", "fingers.ring.opacity"},
                 {"{\"color\"", "line 1"}, {"", "a look is"}};
    char error[256];
    struct lacquer_full_look *look;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(lacquer_full_look_new(&look, wrong[i].text, strlen(wrong[i].text), NULL,
                                               error, sizeof error), LACQUER_ERR_ARGUMENT);
        assert_null(look);
        if (!strstr(error, wrong[i].told))
            fail_msg("'%s' does not contain '%s'", error, wrong[i].told);
    }
    lacquer_full_look_free(NULL);
}

static void a_look_outlives_its_catalogue(void **state)
{
    (void)state;
    char error[256];
    struct lacquer_catalogue *catalogue;
    struct lacquer_full_look *look;
    assert_ok(lacquer_catalogue_open(&catalogue, NULL, error, sizeof error));
    assert_non_null(strstr(lacquer_catalogue_json(catalogue), "\"looks\""));
    assert_ok(lacquer_full_look_new(&look, "classic-french", 14, catalogue, error, sizeof error));
    lacquer_catalogue_close(catalogue);
    lacquer_catalogue_close(NULL);
    struct lacquer_request request = LACQUER_REQUEST_INIT;
    struct lacquer_response response = LACQUER_RESPONSE_INIT;
    request.full_look = look;
    request.format = LACQUER_PNG;
    assert_ok(lacquer_process_file(context, &request, file, file_len, &response));
    assert_memory_equal(response.bytes, "\x89PNG", 4);
    assert_int_equal(response.format, LACQUER_PNG);
    lacquer_full_look_free(look);
    assert_int_equal(lacquer_catalogue_open(&catalogue, "/no/such/folder", error, sizeof error) <
                         0, 1);
    assert_null(catalogue);
    assert_non_null(strstr(error, "/no/such/folder"));
}

// Box, length and width are the same in the struct as in the JSON, which has tenths of a pixel.
static void assert_same_nails(const struct lacquer_response *response, const char *text)
{
    json_t *root = json_loads(text, 0, NULL), *nails = json_object_get(root, "nails");
    assert_int_equal(json_array_size(nails), response->nail_count);
    for (int i = 0; i < response->nail_count; i++) {
        const struct lacquer_nail *nail = &response->nails[i];
        struct lacquer_box box;
        double length, broad;
        assert_ok(json_unpack(json_array_get(nails, (size_t)i), "{s:[i,i,i,i], s:F, s:F}", "box",
                              &box.x, &box.y, &box.width, &box.height, "length", &length,
                              "width", &broad));
        assert_memory_equal(&box, &nail->box, sizeof box);
        assert_float_equal(length, nail->length, 0.051);
        assert_float_equal(broad, nail->width, 0.051);
        assert_true(nail->width > 1 && nail->width < (float)(box.width + box.height));
    }
    json_decref(root);
}

static void masks_and_json_are_of_the_last_response(void **state)
{
    (void)state;
    const char *json;
    struct lacquer_request request = LACQUER_REQUEST_INIT;
    struct lacquer_response response = LACQUER_RESPONSE_INIT;
    assert_ok(lacquer_process_file(context, &request, file, file_len, &response));
    uint8_t *mask = malloc((size_t)response.width * (size_t)response.height);
    assert_ok(lacquer_mask(context, mask, response.width, response.height,
                           (size_t)response.width));
    long inside = 0, areas = 0;
    for (long i = 0; i < (long)response.width * response.height; i++)
        inside += mask[i] >= 128;
    for (int i = 0; i < response.nail_count; i++)
        areas += (long)response.nails[i].area;
    assert_true(inside > 100 && inside <= areas);
    assert_int_equal(lacquer_mask(context, mask, 3, 3, 3), LACQUER_ERR_ARGUMENT);
    assert_ok(lacquer_response_json(context, &json));
    assert_non_null(strstr(json, "\"tip_known\""));
    assert_same_nails(&response, json);
    assert_ok(lacquer_describe(context, &json));
    assert_non_null(strstr(json, "\"engine\":\"openvino\""));
    assert_int_equal(lacquer_process_file(context, &request, "x", 1, &response),
                     LACQUER_ERR_PICTURE);
    assert_int_equal(lacquer_mask(context, mask, width, height, (size_t)width),
                     LACQUER_ERR_ARGUMENT); // the last response failed
    free(mask);
}

static void structs_of_other_versions_are_accepted_or_rejected(void **state)
{
    (void)state;
    struct { struct lacquer_request request; int more; } newer = {LACQUER_REQUEST_INIT, 0};
    struct lacquer_response response = LACQUER_RESPONSE_INIT;
    newer.request.size = sizeof newer;
    assert_ok(lacquer_process_file(context, &newer.request, file, file_len, &response));
    newer.more = 1; // requests something that this library does not know
    assert_int_equal(lacquer_process_file(context, &newer.request, file, file_len, &response),
                     LACQUER_ERR_ARGUMENT);
    assert_non_null(strstr(lacquer_error(context), "does not know"));
    newer.request.size = 0;
    newer.more = 0;
    assert_ok(lacquer_process_file(context, &newer.request, file, file_len, &response));
    response.size = 0;
    assert_int_equal(lacquer_process_file(context, &newer.request, file, file_len, &response),
                     LACQUER_ERR_ARGUMENT);
    newer.request.flags = 1u << 20;
    assert_int_equal(lacquer_process_file(context, &newer.request, file, file_len, NULL),
                     LACQUER_ERR_ARGUMENT);
}

static void engines_go_by_name(void **state)
{
    (void)state;
    char error[512] = "x";
    struct lacquer *none;
    assert_string_equal(lacquer_engine_name(0), "openvino");
    int count = 0;
    while (lacquer_engine_name(count))
        count++;
    assert_true(count >= 3 && !lacquer_engine_name(count + 5) && !lacquer_engine_name(-1));
    assert_ok(lacquer_engine_probe("openvino", error, sizeof error));
    assert_string_equal(error, "");
    assert_int_equal(lacquer_engine_probe("abacus", error, sizeof error), LACQUER_ERR_ARGUMENT);
    assert_non_null(strstr(error, "abacus"));
    struct lacquer_options options = LACQUER_OPTIONS_INIT;
    options.servers = "http://127.0.0.1:9"; // nobody listens on the discard port
    options.server_timeout_ms = 500;
    assert_int_equal(lacquer_open(&none, &options, error, sizeof error), LACQUER_ERR_ENGINE);
    assert_non_null(strstr(error, "127.0.0.1:9"));
    options = (struct lacquer_options)LACQUER_OPTIONS_INIT;
    options.precision = "f64";
    assert_int_equal(lacquer_open(&none, &options, error, sizeof error), LACQUER_ERR_ARGUMENT);
}

static void the_engine_that_was_named_is_used(void **state)
{
    (void)state;
    char error[512];
    const char *json;
    struct lacquer *chosen;
    struct lacquer_options options = LACQUER_OPTIONS_INIT;
    options.model = "tests/fixtures/yolo_unit.replay";
    options.engine = "replay";
    assert_ok(lacquer_open(&chosen, &options, error, sizeof error));
    assert_ok(lacquer_describe(chosen, &json));
    assert_non_null(strstr(json, "\"engine\":\"replay\""));
    lacquer_close(chosen);
    options.model = "models/nail.onnx"; // a file of no recorded tensors
    assert_int_equal(lacquer_open(&chosen, &options, error, sizeof error), LACQUER_ERR_MODEL);
    assert_non_null(strstr(error, "models/nail.onnx"));
    options.engine = "abacus";
    assert_int_equal(lacquer_open(&chosen, &options, error, sizeof error), LACQUER_ERR_ARGUMENT);
    assert_non_null(strstr(error, "abacus"));
}

static atomic_int refused;

static void *use_too(void *unused)
{
    for (int i = 0; i < 20; i++) {
        struct lacquer_request request = LACQUER_REQUEST_INIT;
        int code = lacquer_process_file(context, &request, file, file_len, NULL);
        assert_true(code == LACQUER_OK || code == LACQUER_ERR_BUSY);
        atomic_fetch_add(&refused, code == LACQUER_ERR_BUSY);
    }
    return unused;
}

static void two_threads_on_one_context_get_busy(void **state)
{
    (void)state;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, use_too, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_true(refused > 0);
    assert_non_null(strstr(lacquer_strerror(LACQUER_ERR_BUSY), "another thread"));
    assert_string_equal(lacquer_strerror(-1000), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_last_through_a_video),
        cmocka_unit_test(fingers_and_directions_come_from_the_hand),
        cmocka_unit_test(a_full_look_has_more_than_one_polish),
        cmocka_unit_test(the_order_of_colours_is_the_callers),
        cmocka_unit_test(looks_say_what_is_wrong_in_them),
        cmocka_unit_test(a_look_outlives_its_catalogue),
        cmocka_unit_test(masks_and_json_are_of_the_last_response),
        cmocka_unit_test(structs_of_other_versions_are_accepted_or_rejected),
        cmocka_unit_test(engines_go_by_name),
        cmocka_unit_test(the_engine_that_was_named_is_used),
        cmocka_unit_test(two_threads_on_one_context_get_busy),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
