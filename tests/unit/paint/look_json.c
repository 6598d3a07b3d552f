#include "paint/look_json.h"

#include <string.h>

#include "unit/unit.h"

static struct lq_catalogue *catalogue;

static int read_look(struct lq_look *look, const char *text, struct lq_error *err)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    int status = lq_look_read_any(look, json, catalogue, err);
    json_decref(json);
    return status;
}

static void reads_all_there_is(void **state)
{
    (void)state;
    struct lq_look look;
    assert_ok(read_look(&look,
                        "{\"title\":\"All\",\"color\":\"oxblood\",\"opacity\":0.8,\"coats\":3,"
                        "\"gloss\":0.2,\"texture\":0,\"sheen\":false,"
                        "\"finish\":{\"name\":\"cat-eye\",\"angle\":-30,\"width\":0.5,"
                        "\"colors\":[\"#fff\",\"teal\"]},"
                        "\"ombre\":{\"color\":\"#010203\",\"from\":0,\"to\":1},"
                        "\"french\":{\"width\":0.3,\"shape\":\"chevron\"},"
                        "\"pattern\":{\"image\":\"dots\",\"opacity\":0.5,\"color\":\"#102030\"},"
                        "\"shape\":{\"kind\":\"almond\",\"length\":0.7},"
                        "\"fingers\":{\"ring\":{\"finish\":\"matte\",\"french\":null,"
                        "\"pattern\":null},\"index\":{\"gloss\":null}}}", NULL));
    const struct lq_polish *hand = &look.polish;
    const struct lq_polish *ring = lq_look_polish(&look, LQ_FINGER_RING);
    assert_memory_equal(hand->color, lq_catalogue_shade(catalogue, "oxblood")->color, 3);
    assert_int_equal(hand->coats, 3);
    assert_int_equal(hand->finish, LQ_FINISH_CAT_EYE);
    assert_float_equal(hand->effect.angle, -30.0f, 0.0f);
    assert_int_equal(hand->effect.color_count, 2);
    assert_int_equal(hand->effect.colors[1][1], 0x80);
    assert_float_equal(hand->effect.number[LQ_EFFECT_WIDTH], 0.5f, 0.0f);
    assert_float_equal(hand->effect.number[LQ_EFFECT_OFFSET], 0.5f, 0.0f); // left out: the default
    assert_false(hand->sheen);
    assert_true(hand->ombre.on && hand->french.on && hand->pattern);
    assert_true(hand->pattern_dyed && hand->pattern_color[2] == 0x30);
    assert_int_equal(hand->french.shape, LQ_FRENCH_CHEVRON);
    assert_int_equal(look.extension.shape, LQ_SHAPE_ALMOND);
    assert_int_equal(ring->finish, LQ_FINISH_MATTE);
    assert_true(ring->ombre.on && !ring->french.on && !ring->pattern);
    assert_memory_equal(ring->color, hand->color, 3);
    assert_float_equal(ring->gloss, -1.0f, 0.0f); // another finish has its own gloss
    const struct lq_polish *index = lq_look_polish(&look, LQ_FINGER_INDEX);
    assert_float_equal(hand->gloss, 0.2f, 0.0f);
    assert_float_equal(index->gloss, -1.0f, 0.0f); // and so has the hand's without what was said
    assert_int_equal(index->finish, LQ_FINISH_CAT_EYE);
}

static void errors_name_the_path(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"{\"colour\":\"red\"}", "look: colour is not a known key"},
        {"{\"color\":\"mud\"}", "look: color must be a colour: #rrggbb or the name of a shade"},
        {"{\"opacity\":1.5}", "look: opacity must be a number from 0 to 1"},
        {"{\"opacity\":\"1\"}", "look: opacity must be a number from 0 to 1"},
        {"{\"coats\":5}", "look: coats must be a whole number from 1 to 4"},
        {"{\"coats\":1.5}", "look: coats must be a whole number from 1 to 4"},
        {"{\"sheen\":1}", "look: sheen must be true or false"},
        {"{\"finish\":{\"size\":1}}", "look: finish.name must be there"},
        {"{\"finish\":{\"name\":\"gloss\",\"size\":1}}",
         "look: finish.size is not a parameter of gloss"},
        {"{\"finish\":{\"name\":\"chrome\",\"angle\":1}}",
         "look: finish.angle is not a parameter of chrome"},
        {"{\"finish\":{\"name\":\"glitter\",\"colors\":[\"red\",7]}}",
         "look: finish.colors[1] must be a colour: #rrggbb or the name of a shade"},
        {"{\"finish\":{\"name\":\"glitter\",\"colors\":[1,2,3,4,5]}}",
         "look: finish.colors must be an array of at most 4 colours"},
        {"{\"ombre\":{}}", "look: ombre.color must be there"},
        {"{\"ombre\":{\"color\":\"red\",\"from\":0.5,\"to\":0.5}}",
         "look: ombre.to must be more than from"},
        {"{\"french\":{\"shape\":\"round\"}}",
         "look: french.shape must be one of smile, straight, chevron, diagonal"},
        {"{\"pattern\":\"none-such\"}",
         "look: pattern must be the name of a pattern in the catalogue"},
        {"{\"shape\":{\"length\":2}}", "look: shape.length must be a number from 0 to 1"},
        {"{\"fingers\":{\"pinky\":{}}}", "look: fingers.pinky is not a known key"},
        {"{\"fingers\":{\"ring\":{\"finish\":{\"name\":\"glitter\",\"size\":-1}}}}",
         "look: fingers.ring.finish.size must be a number from 0 to 1"},
        {"{\"fingers\":{\"ring\":{\"fingers\":{}}}}",
         "look: fingers.ring.fingers is not a known key"},
        {"{\"fingers\":[]}", "look: fingers must be an object"},
        {"[]", "look: it must be an object or the name of a look"},
        {"\"none-such\"", "unknown look 'none-such': `lacquer looks` lists them"},
    };
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        struct lq_look look = lq_look_default(), before = look;
        struct lq_error err;
        assert_int_equal(read_look(&look, cases[i].text, &err), LQ_ERR_FIELD);
        assert_string_equal(err.text, cases[i].error);
        assert_memory_equal(&look, &before, sizeof look);
    }
}

// Every look of the catalogue survives being written out and read again.
static void writes_what_it_reads(void **state)
{
    (void)state;
    int count;
    const struct lq_named_look *looks = lq_catalogue_looks(catalogue, &count);
    assert_true(count >= 20);
    for (int i = 0; i < count; i++) {
        struct lq_look again;
        json_t *once = lq_look_write(&looks[i].look);
        assert_ok(lq_look_read(&again, once, catalogue, NULL));
        json_t *twice = lq_look_write(&again);
        assert_true(json_equal(once, twice));
        json_decref(once);
        json_decref(twice);
    }
}

static int setup(void **state)
{
    (void)state;
    return lq_catalogue_open(&catalogue, NULL, NULL);
}

static int teardown(void **state)
{
    (void)state;
    lq_catalogue_close(catalogue);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_there_is),
        cmocka_unit_test(errors_name_the_path),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
