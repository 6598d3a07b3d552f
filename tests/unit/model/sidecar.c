#include "model/sidecar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "unit/unit.h"

static char folder[] = "/tmp/lacquer-sidecar-XXXXXX";
static char model_path[64], sidecar_path[64];
static struct lq_error err;

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(model_path, sizeof model_path, "%s/some.model.onnx", folder);
    snprintf(sidecar_path, sizeof sidecar_path, "%s/some.model.json", folder);
    lq_log_set_level(LQ_LOG_ERROR); // the unknown key is warned of
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(sidecar_path);
    return rmdir(folder);
}

static int read_text(struct lq_sidecar *sidecar, const char *text)
{
    FILE *file = fopen(sidecar_path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return lq_sidecar_read(sidecar, model_path, &err);
}

static void none_is_fine(void **state)
{
    (void)state;
    struct lq_sidecar sidecar;
    assert_ok(lq_sidecar_read(&sidecar, "/no/such.folder/model", &err));
    assert_false(sidecar.present);
    assert_true(sidecar.std[0] == 1 && sidecar.mean[2] == 0);
    assert_int_equal(sidecar.nail_channel, -1);
}

static void every_key_is_read(void **state)
{
    (void)state;
    struct lq_sidecar s;
    assert_ok(read_text(&s, "{\"name\": \"x\", \"head\": \"yolo-seg\", \"layout\": \"nhwc\","
                            "\"resize\": \"letterbox\", \"sizes\": [[384, 288], [288, 384]],"
                            "\"pad\": 0.5, \"mean\": [0.1, 0.2, 0.3], \"std\": [1, 2, 3],"
                            "\"output\": \"logits\", \"nail_channel\": 0, \"boxes\": \"unit\","
                            "\"classes\": [0, 3, 63], \"threshold\": 0.4, \"score\": 0.3,"
                            "\"nms_iou\": 0.6, \"bf16_checked\": true, \"licence\": \"L\","
                            "\"float_model\": \"f.onnx\", \"notes\": {\"any\": [1]},"
                            "\"future\": 1}"));
    assert_true(s.present && s.bf16_checked);
    assert_string_equal(s.float_model, "f.onnx");
    assert_string_equal(s.name, "x");
    assert_int_equal(s.head, LQ_HEAD_YOLO_SEG);
    assert_int_equal(s.layout, LQ_SIDECAR_LAYOUT_NHWC);
    assert_int_equal(s.resize, LQ_SIDECAR_LETTERBOX);
    assert_int_equal(s.size_count, 2);
    assert_int_equal(s.sizes[1].width, 288);
    assert_int_equal(s.sizes[1].height, 384);
    assert_true(s.pad == 0.5f && s.mean[1] == 0.2f && s.std[2] == 3.0f);
    assert_int_equal(s.values, LQ_VALUES_LOGITS);
    assert_int_equal(s.boxes, LQ_BOXES_UNIT);
    assert_int_equal(s.nail_channel, 0);
    assert_true(s.class_mask == (1ull | 1ull << 3 | 1ull << 63));
    assert_true(s.threshold == 0.4f && s.score == 0.3f && s.nms_iou == 0.6f);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{", "line 1: "},
        {"{\"name\": \"a\", \"name\": \"b\"}", "duplicate"},
        {"[]", "it must be one JSON object"},
        {"{\"name\": 5}", "\"name\" must be a text of 1 to 63 bytes"},
        {"{\"name\": \"\"}", "\"name\" must be"},
        {"{\"head\": \"legs\"}", "\"head\" must be \"mask\", \"yolo-seg\" or"},
        {"{\"layout\": 1}", "\"layout\" must be \"nchw\" or \"nhwc\""},
        {"{\"sizes\": []}", "\"sizes\" must be 1 to 4 pairs"},
        {"{\"sizes\": [[384]]}", "\"sizes\" must be"},
        {"{\"sizes\": [[384, 31]]}", "\"sizes\" must be"},
        {"{\"sizes\": [[384, 99999999999999999999]]}", "line 1"},
        {"{\"sizes\": [1,2,3,4,5]}", "\"sizes\" must be"},
        {"{\"sizes\": \"384x288\"}", "\"sizes\" must be"},
        {"{\"pad\": 2}", "\"pad\" must be a number from 0 to 1"},
        {"{\"mean\": [1, 2]}", "\"mean\" must be three numbers"},
        {"{\"std\": [1, 0, 1]}", "\"std\" must be a number from 1e-06"},
        {"{\"nail_channel\": 2}", "\"nail_channel\" must be 0 or 1"},
        {"{\"classes\": [64]}", "\"classes\" must be an array of class numbers"},
        {"{\"classes\": []}", "\"classes\" must be"},
        {"{\"threshold\": \"half\"}", "\"threshold\" must be a number"},
        {"{\"score\": 0}", "\"score\" must be"},
        {"{\"head\": 1}", "\"detr-seg\""},
        {"{\"input_scale\": 0}", "\"input_scale\" must be a number"},
        {"{\"input_zero\": 256}", "\"input_zero\" must be a whole number from -128 to 255"},
        {"{\"input_zero\": 0.5}", "\"input_zero\" must be"},
        {"{\"bf16_checked\": \"yes\"}", "\"bf16_checked\" must be true or false"},
        {"{\"float_model\": \"../a.onnx\"}", "\"float_model\" must be the name of a file"},
        {"{\"float_model\": \"\"}", "\"float_model\" must be the name of a file"},
    };
    struct lq_sidecar sidecar;
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        assert_int_equal(read_text(&sidecar, cases[i].text), LQ_ERR_MODEL);
        if (!strstr(err.text, cases[i].says) || !strstr(err.text, "some.model.json"))
            fail_msg("'%s' gave: %s", cases[i].text, err.text);
        assert_null(strchr(err.text, '\n'));
    }
}

// crosses: SIDECAR_BYTES_MAX
static void a_long_one_is_rejected(void **state)
{
    (void)state;
    struct lq_sidecar sidecar;
    char *text = malloc(LQ_SIDECAR_BYTES_MAX + 2);
    assert_non_null(text);
    memset(text, ' ', LQ_SIDECAR_BYTES_MAX + 1);
    text[LQ_SIDECAR_BYTES_MAX + 1] = '\0';
    assert_int_equal(read_text(&sidecar, text), LQ_ERR_TOO_LARGE);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_fine),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_long_one_is_rejected),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
