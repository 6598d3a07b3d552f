#include "serve/message/frame_request.h"

#include <string.h>

#include "base/base64.h"
#include "unit/unit.h"

static int look_json(struct lq_look *look, const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    int status = lq_frame_request_look(look, NULL, object, NULL);
    json_decref(object);
    return status;
}

static void reads_look_fields(void **state)
{
    (void)state;
    struct lq_look look = lq_look_default();
    assert_ok(look_json(&look, "{\"color\":\"#010203\",\"finish\":\"gloss\",\"texture\":0.25,"
                               "\"sheen\":false,\"opacity\":0.5,\"other\":[]}"));
    assert_memory_equal(look.polish.color, ((uint8_t[]){1, 2, 3}), 3);
    assert_int_equal(look.polish.finish, LQ_FINISH_GLOSS);
    assert_float_equal(look.polish.texture, 0.25f, 1e-6);
    assert_float_equal(look.polish.opacity, 0.5f, 1e-6);
    assert_false(look.polish.sheen);
    // Missing and null fields keep their values; text is read as in a form.
    assert_ok(look_json(&look, "{\"color\":null,\"texture\":\"0.75\",\"sheen\":\"on\"}"));
    assert_int_equal(look.polish.color[0], 1);
    assert_float_equal(look.polish.texture, 0.75f, 1e-6);
    assert_true(look.polish.sheen);
}

static void a_bad_field_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"color\":\"red\",\"texture\":2}", "{\"color\":\"red\",\"finish\":\"mud\"}",
        "{\"color\":7}", "{\"color\":true}", "{\"texture\":true}", "{\"texture\":\"\"}",
        "{\"texture\":\"0.5x\"}", "{\"texture\":\"nan\"}", "{\"sheen\":2}", "{\"sheen\":[]}",
        "{\"opacity\":-1}", "{\"opacity\":\"inf\"}", "{\"finish\":1}"};
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        struct lq_look look = lq_look_default(), before = lq_look_default();
        assert_int_equal(look_json(&look, bad[i]), LQ_ERR_FIELD);
        assert_memory_equal(look.polish.color, before.polish.color, sizeof before.polish.color);
        assert_float_equal(look.polish.texture, before.polish.texture, 0);
        assert_int_equal(look.polish.finish, before.polish.finish);
    }
}

struct case_slot {
    struct lq_frame_slot slot;
    struct lq_buf decoded;
    struct lq_frame_picture picture;
};

static int read_body(struct case_slot *mine, enum lq_body_form form, const char *text)
{
    *mine = (struct case_slot){.slot = {.request = {.body_form = form, .look = lq_look_default()}}};
    lq_buf_init(&mine->slot.body, 4096);
    lq_buf_init(&mine->decoded, 4096);
    assert_ok(lq_buf_append(&mine->slot.body, text, strlen(text)));
    return lq_frame_request_read(&mine->slot, &mine->decoded, &mine->picture, NULL);
}

static void done(struct case_slot *mine)
{
    lq_frame_picture_release(&mine->picture);
    lq_buf_release(&mine->slot.body);
    lq_buf_release(&mine->decoded);
}

static void finds_the_picture_in_json(void **state)
{
    (void)state;
    struct case_slot mine;
    assert_ok(read_body(&mine, LQ_BODY_JSON, "{\"image\":\"data:image/png;base64,Zm9v\","
                                             "\"color\":\"#0000ff\"}"));
    assert_int_equal(mine.picture.len, 3);
    assert_memory_equal(mine.picture.bytes, "foo", 3);
    assert_true(mine.picture.text && mine.picture.url);
    assert_int_equal(mine.slot.request.look.polish.color[2], 255);
    done(&mine);
    static const struct { const char *text; int status; } bad[] = {
        {"", LQ_ERR_SYNTAX}, {"[]", LQ_ERR_SYNTAX}, {"{}", LQ_ERR_FIELD},
        {"{\"image\":\"\"}", LQ_ERR_FIELD}, {"{\"image\":1}", LQ_ERR_FIELD},
        {"{\"image\":\"Zm9vZ\"}", LQ_ERR_SYNTAX}, {"{\"image\":\"Zm9v\"} x", LQ_ERR_SYNTAX}};
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        assert_int_equal(read_body(&mine, LQ_BODY_JSON, bad[i].text), bad[i].status);
        done(&mine);
    }
}

static void finds_the_picture_in_events(void **state)
{
    (void)state;
    struct case_slot mine;
    assert_ok(read_body(&mine, LQ_BODY_EVENT, "[\"frame\",{\"image\":\"Zm9v\",\"id\":\"x\"}]"));
    assert_true(mine.picture.text && !mine.picture.url);
    assert_string_equal(json_string_value(mine.picture.id), "x");
    done(&mine);
    assert_ok(read_body(&mine, LQ_BODY_EVENT, "[\"frame\",\"Zm9v\"]"));
    assert_null(mine.picture.id);
    done(&mine);
    // A placeholder without its attachment is an error.
    assert_int_equal(read_body(&mine, LQ_BODY_EVENT,
                               "[\"frame\",{\"_placeholder\":true,\"num\":0}]"),
                     LQ_ERR_FIELD);
    done(&mine);
    assert_int_equal(read_body(&mine, LQ_BODY_EVENT, "[\"frame\"]"), LQ_ERR_FIELD);
    done(&mine);
    assert_int_equal(read_body(&mine, LQ_BODY_EVENT, "{}"), LQ_ERR_SYNTAX);
    done(&mine);
}

static void finds_the_picture_in_forms(void **state)
{
    (void)state;
    struct case_slot mine;
    assert_ok(read_body(&mine, LQ_BODY_URLENCODED, "sheen=off&image=data%3A%3Bbase64%2CZm9v"));
    assert_memory_equal(mine.picture.bytes, "foo", 3);
    assert_false(mine.slot.request.look.polish.sheen);
    done(&mine);
    assert_int_equal(read_body(&mine, LQ_BODY_URLENCODED, "image="), LQ_ERR_FIELD);
    done(&mine);
    assert_int_equal(read_body(&mine, LQ_BODY_URLENCODED, "image=Zm9v&texture=9"), LQ_ERR_FIELD);
    done(&mine);
}

static void text_without_a_type_is_recognised_by_content(void **state)
{
    (void)state;
    struct case_slot mine;
    static const char *const good[] = {
        "{\"image\":\"Zm9v\"}", " \r\n{\"image\":\"Zm9v\"}",
        "\xef\xbb\xbf{\"image\":\"data:image\\/jpeg;base64,Zm9v\"}", "image=Zm9v\r\n",
        "color=red&image=data:;base64,Zm9v", "data:image/jpeg;base64,Zm9v",
        "DATA:;base64,Zm\n9v\n"};
    for (size_t i = 0; i < LQ_COUNT(good); i++) {
        assert_ok(read_body(&mine, LQ_BODY_TEXT, good[i]));
        assert_true(mine.picture.len == 3 && memcmp(mine.picture.bytes, "foo", 3) == 0);
        done(&mine);
    }
    // A form that is JSON.
    assert_ok(read_body(&mine, LQ_BODY_URLENCODED, "{\"image\":\"Zm9v\",\"color\":\"#0000ff\"}"));
    assert_int_equal(mine.slot.request.look.polish.color[2], 255);
    done(&mine);
    static const struct { const char *text; int status; } bad[] = {
        {"", LQ_ERR_FIELD}, {" \n", LQ_ERR_FIELD}, {"x", LQ_ERR_FORMAT}, {"Zm9v", LQ_ERR_FORMAT},
        {"color=red", LQ_ERR_FIELD}, {"{", LQ_ERR_SYNTAX}, {"[1]", LQ_ERR_FORMAT},
        {"data:image/jpeg,x", LQ_ERR_SYNTAX}, {"\xff\xd8\xff", LQ_ERR_FORMAT}};
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        assert_int_equal(read_body(&mine, LQ_BODY_TEXT, bad[i].text), bad[i].status);
        done(&mine);
    }
}

static int read_multipart(struct case_slot *mine, const char *headers, const char *value)
{
    char body[1024];
    *mine = (struct case_slot){.slot = {.request = {.body_form = LQ_BODY_MULTIPART, .boundary = "b",
                                                .look = lq_look_default()}}};
    snprintf(body, sizeof body, "--b\r\n%s\r\n\r\n%s\r\n--b--\r\n", headers, value);
    lq_buf_init(&mine->slot.body, 4096);
    lq_buf_init(&mine->decoded, 4096);
    assert_ok(lq_buf_append(&mine->slot.body, body, strlen(body)));
    return lq_frame_request_read(&mine->slot, &mine->decoded, &mine->picture, NULL);
}

// A text part may contain the picture's base64; anything else is passed to the decoder.
static void parts_hold_bytes_or_text(void **state)
{
    (void)state;
    struct case_slot mine;
    static const char image[] = "Content-Disposition: form-data; name=image";
    assert_ok(read_multipart(&mine, image, "/9j/4AAQSkZJRg"));
    assert_true(mine.picture.text && mine.picture.bytes[0] == 0xff);
    done(&mine);
    assert_ok(read_multipart(&mine, image, "Zm9v"));
    assert_true(!mine.picture.text && mine.picture.len == 4);
    done(&mine);
    assert_ok(read_multipart(&mine, image, "DATA:image/jpeg;base64,Zm9v"));
    assert_true(mine.picture.text && mine.picture.len == 3);
    done(&mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_look_fields),          cmocka_unit_test(a_bad_field_changes_nothing),
        cmocka_unit_test(finds_the_picture_in_json),  cmocka_unit_test(finds_the_picture_in_events),
        cmocka_unit_test(finds_the_picture_in_forms),
        cmocka_unit_test(text_without_a_type_is_recognised_by_content),
        cmocka_unit_test(parts_hold_bytes_or_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
