#include "paint/catalogue.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "paint/catalogue_json.h"
#include "paint/transfer.h"
#include "unit/delta_e.h"
#include "unit/unit.h"

// Screens show the measured colour: no shade is outside sRGB, and rounding to 8 bits changes it by
// less than half a just noticeable difference.
static void shades_are_true_to_their_lab(void **state)
{
    int count;
    const struct lq_shade_name *shades = lq_catalogue_shades(*state, &count);
    assert_true(count >= 60);
    for (int i = 0; i < count; i++) {
        double rgb[3], lab[3], wanted[3];
        for (int k = 0; k < 3; k++) {
            rgb[k] = lq_srgb_decode(shades[i].color[k] / 255.0);
            wanted[k] = (double)shades[i].lab[k];
        }
        unit_lab(rgb, lab);
        double difference = unit_delta_e_lab(lab, wanted);
        if (difference > 0.5)
            print_error("%s: delta E %.2f\n", shades[i].name, difference);
        assert_true(difference <= 0.5);
    }
}

static void names_are_found(void **state)
{
    assert_string_equal(lq_catalogue_shade(*state, "oxblood")->title, "Oxblood");
    assert_int_equal(lq_catalogue_look(*state, "noir-matte")->look.polish.finish, LQ_FINISH_MATTE);
    assert_string_equal(lq_catalogue_pattern(*state, "leopard")->name, "leopard");
    assert_null(lq_catalogue_shade(*state, ""));
    assert_null(lq_catalogue_look(*state, "Noir-matte"));
    assert_null(lq_catalogue_pattern(*state, "../leopard"));
}

static void the_list_has_everything(void **state)
{
    json_t *list = lq_catalogue_write(*state);
    int count;
    lq_catalogue_shades(*state, &count);
    assert_int_equal(json_array_size(json_object_get(list, "shades")), count);
    assert_int_equal(json_array_size(json_object_get(list, "finishes")), LQ_FINISH_COUNT);
    json_t *pattern = json_array_get(json_object_get(list, "patterns"), 0);
    const char *image = json_string_value(json_object_get(pattern, "image"));
    assert_int_equal(strncmp(image, "data:image/png;base64,iVBORw0KGgo", 33), 0);
    json_decref(list);
}

static void write_in(const char *dir, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_ok(lq_file_write(path, text, strlen(text), NULL));
}

static void forget(const char *dir, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
}

static void a_folder_adds_and_replaces(void **state)
{
    (void)state;
    char dir[] = "/tmp/lacquer-looks-XXXXXX";
    assert_non_null(mkdtemp(dir));
    write_in(dir, "shades.json",
             "[{\"name\":\"mine\",\"title\":\"Mine\",\"family\":\"red\",\"lab\":[50,0,0]},"
             "{\"name\":\"oxblood\",\"title\":\"Other\",\"family\":\"red\",\"lab\":[40,10,5]}]");
    write_in(dir, "my-look.json", "{\"title\":\"My own\",\"color\":\"mine\"}");
    write_in(dir, "noir-matte.json", "{\"finish\":\"gloss\"}");
    struct lq_catalogue *catalogue;
    assert_ok(lq_catalogue_open(&catalogue, dir, NULL));
    assert_int_equal(lq_catalogue_look(catalogue, "my-look")->look.polish.color[0], 119);
    assert_string_equal(lq_catalogue_look(catalogue, "my-look")->title, "My own");
    assert_string_equal(lq_catalogue_shade(catalogue, "oxblood")->title, "Other");
    assert_int_equal(lq_catalogue_look(catalogue, "noir-matte")->look.polish.finish,
                     LQ_FINISH_GLOSS);
    lq_catalogue_close(catalogue);
    forget(dir, "shades.json");
    forget(dir, "my-look.json");
    forget(dir, "noir-matte.json");
    rmdir(dir);
}

static void bad_files_are_named_in_errors(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *error;
        int status;
    } cases[] = {
        {"one.json", "{\"gloss\":2}", "looks: 'one.json': look: gloss must be a number from 0 to 1",
         LQ_ERR_FIELD},
        {"one.json", "{\"gloss\":0", NULL, LQ_ERR_SYNTAX},
        {"one.json", "{\"gloss\":0,\"gloss\":1}", NULL, LQ_ERR_SYNTAX},
        {"One.json", "{}", "looks: 'One.json': its name must be 1 to 47 of a-z, 0-9 and '-'",
         LQ_ERR_FIELD},
        {"shades.json", "[{\"name\":\"x\",\"title\":\"X\",\"family\":\"f\",\"lab\":[101,0,0]}]",
         "looks: 'shades.json': shade 0 must have name, title, family and lab [L, a, b]",
         LQ_ERR_FIELD},
        {"shades.json", "{}", "looks: 'shades.json': must be an array of shades", LQ_ERR_FIELD},
        {"patterns/a.png", "GIF89a", NULL, LQ_ERR_FORMAT},
        {"patterns/dots.png", "GIF89a", NULL, LQ_ERR_FIELD},
    };
    char dir[] = "/tmp/lacquer-looks-XXXXXX", sub[64];
    assert_non_null(mkdtemp(dir));
    snprintf(sub, sizeof sub, "%s/patterns", dir);
    mkdir(sub, 0700);
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        struct lq_catalogue *catalogue;
        struct lq_error err;
        write_in(dir, cases[i].name, cases[i].text);
        assert_int_equal(lq_catalogue_open(&catalogue, dir, &err), cases[i].status);
        if (cases[i].error)
            assert_string_equal(err.text, cases[i].error);
        assert_non_null(strstr(err.text, cases[i].name));
        forget(dir, cases[i].name);
    }
    rmdir(sub);
    rmdir(dir);
    struct lq_catalogue *catalogue;
    struct lq_error err;
    assert_int_equal(lq_catalogue_open(&catalogue, dir, &err), LQ_ERR_ARGUMENT);
}

static int setup(void **state)
{
    return lq_catalogue_open((struct lq_catalogue **)state, NULL, NULL);
}

static int teardown(void **state)
{
    lq_catalogue_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shades_are_true_to_their_lab),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(the_list_has_everything),
        cmocka_unit_test(a_folder_adds_and_replaces),
        cmocka_unit_test(bad_files_are_named_in_errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
