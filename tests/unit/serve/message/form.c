#include "serve/message/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "unit/unit.h"

// Reads a whole form of text into "name=value;" lines; returns the last status.
static int read_form(const char *body, const char *boundary, char *out)
{
    struct lq_web_form form;
    struct lq_form_field field;
    size_t len = strlen(body);
    uint8_t *copy = malloc(len ? len : 1); // exact size: the sanitizers detect any read past it
    memcpy(copy, body, len);
    *out = 0;
    int status = 0;
    if (boundary)
        status = lq_form_init_multipart(&form, copy, len, boundary, NULL);
    else
        lq_form_init_urlencoded(&form, copy, len);
    while (status == 0 && (status = lq_form_next(&form, &field, NULL)) == 1) {
        sprintf(out + strlen(out), "%.*s=%.*s;", (int)field.name_len, field.name,
                (int)field.value_len, field.value);
        status = 0;
    }
    free(copy);
    return status;
}

static void decodes_urlencoded_fields(void **state)
{
    (void)state;
    char out[256];
    assert_ok(read_form("a=1&b=%41%2b+c&empty=&bare&=x", NULL, out));
    assert_string_equal(out, "a=1;b=A+ c;empty=;bare=;=x;");
    assert_ok(read_form("", NULL, out));
    assert_string_equal(out, "");
    assert_int_equal(read_form("a=%", NULL, out), LQ_ERR_SYNTAX);
    assert_int_equal(read_form("a=%4", NULL, out), LQ_ERR_SYNTAX);
    assert_int_equal(read_form("a=%4g", NULL, out), LQ_ERR_SYNTAX);
    assert_int_equal(read_form("%zz=1", NULL, out), LQ_ERR_SYNTAX);
}

static void reads_multipart_fields(void **state)
{
    (void)state;
    char out[256];
    assert_ok(read_form("--b\r\nContent-Disposition: form-data; name=\"color\"\r\n\r\nred\r\n"
                        "--b\r\ncontent-disposition: form-data; filename=\"n.jpg\"; "
                        "name=\"image\"\r\nContent-Type: image/jpeg\r\n\r\nline\r\n--not the "
                        "end\r\n\r\n--b--\r\n",
                        "b", out));
    assert_string_equal(out, "color=red;image=line\r\n--not the end\r\n;");
    assert_ok(read_form("--b--", "b", out));
    assert_ok(read_form("--b\r\n\r\nno name\r\n--b--", "b", out));
    assert_string_equal(out, "=no name;");
}

// Forms as sent by .NET, Java, Go, PHP and hand-written clients.
static void reads_forms_of_common_clients(void **state)
{
    (void)state;
    static const struct { const char *body, *boundary, *fields; } forms[] = {
        {"--7518e894-589d\r\nContent-Disposition: form-data; name=image; filename=n.jpg; "
         "filename*=utf-8''n.jpg\r\n\r\nx\r\n--7518e894-589d--\r\n", "7518e894-589d", "image=x;"},
        {"--b\r\nContent-Disposition: form-data; filename*=UTF-8''name%3D; filename=\"; name=no\"; "
         "NAME = \"image\"\r\n\r\nx\r\n--b--", "b", "image=x;"},
        {"--b\r\nContent-Disposition:form-data;name=\"image\";filename=\"a\\\"b.jpg\"\r\n\r\nx"
         "\r\n--b--", "b", "image=x;"},
        {"--b\r\nContent-Disposition: form-data; name*=utf-8''image\r\n\r\nx\r\n--b--", "b",
         "image=x;"},
        {"--b\r\nContent-Disposition: form-data;\r\n\tname=\"image\"\r\nX: y\r\n\r\nx\r\n--b--",
         "b", "image=x;"},
        {"--b\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nContent-Disposition: form-data; "
         "name=a\r\n\r\nx\r\n--b--", "b", "a=x;"},
        {"To whom it may concern\r\n--b--not this\r\n--b\r\nContent-Disposition: form-data; name=a"
         "\r\n\r\nx\r\n--b--\r\nepilogue\r\n--b\r\n", "b", ""},
        {"preamble, --b and\r\n--bb\r\n--b  \r\nContent-Disposition: form-data; name=a"
         "\r\n\r\nx\r\n--b--\r\nepilogue\r\n--b\r\n", "b", "a=x;"},
        {"\r\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--", "b", "a=x;"},
        {"--b\nContent-Disposition: form-data; name=\"a\"\n\nx\r\n--b\n"
         "Content-Disposition: form-data; name=c\n\n\n--b--\n", "b", "a=x\r;c=;"},
        {"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--bc\r\n--b \r\n\r\n\r\n--b--",
         "b", "a=x\r\n--bc;=;"},
        {"--b\r\nContent-Transfer-Encoding: Base64\r\nContent-Disposition: form-data; name=a\r\n"
         "\r\nZm9v\r\nYg==\r\n--b\r\nContent-Transfer-Encoding: 8bit\r\n"
         "Content-Disposition: form-data; name=c\r\n\r\nZm9v\r\n--b--", "b", "a=foob;c=Zm9v;"},
    };
    for (size_t i = 0; i < LQ_COUNT(forms); i++) {
        char out[256];
        assert_ok(read_form(forms[i].body, forms[i].boundary, out));
        assert_string_equal(out, forms[i].fields);
    }
}

static void refuses_parts_that_it_would_misread(void **state)
{
    (void)state;
    char out[256];
    assert_int_equal(read_form("--b\r\nContent-Transfer-Encoding: quoted-printable\r\n"
                               "Content-Disposition: form-data; name=a\r\n\r\nx=3D\r\n--b--",
                               "b", out), LQ_ERR_SYNTAX);
    assert_int_equal(read_form("--b\r\nContent-Transfer-Encoding: base64\r\n"
                               "Content-Disposition: form-data; name=a\r\n\r\n!\r\n--b--",
                               "b", out), LQ_ERR_SYNTAX);
    assert_int_equal(read_form("no boundary here", "b", out), LQ_ERR_SYNTAX);
}

static void refuses_forms_that_are_cut_short(void **state)
{
    (void)state;
    char out[256];
    static const char whole[] =
        "--bound\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nvalue\r\n--bound--";
    assert_ok(read_form(whole, "bound", out));
    for (size_t len = 0; len + 2 < sizeof whole - 1; len++) {
        char part[sizeof whole];
        memcpy(part, whole, len);
        part[len] = 0;
        assert_int_equal(read_form(part, "bound", out), LQ_ERR_SYNTAX);
    }
}

static void finds_the_boundary(void **state)
{
    (void)state;
    char boundary[72];
    assert_ok(lq_form_boundary("multipart/form-data; boundary=abc", boundary, sizeof boundary,
                               NULL));
    assert_string_equal(boundary, "abc");
    assert_ok(lq_form_boundary("multipart/form-data; Boundary=\"a b\"; x=y", boundary,
                               sizeof boundary,
                               NULL));
    assert_string_equal(boundary, "a b");
    assert_ok(lq_form_boundary("multipart/form-data;charset=\"boundary=no\";BOUNDARY = abc ; x",
                               boundary, sizeof boundary, NULL));
    assert_string_equal(boundary, "abc");
    static const char *const bad[] = {"multipart/form-data", "multipart/form-data; boundary=",
                                      "multipart/form-data; boundary=\"\"",
                                      "multipart/form-data; boundary="
                                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_int_equal(lq_form_boundary(bad[i], boundary, sizeof boundary, NULL), LQ_ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_urlencoded_fields),
        cmocka_unit_test(reads_multipart_fields),
        cmocka_unit_test(reads_forms_of_common_clients),
        cmocka_unit_test(refuses_parts_that_it_would_misread),
        cmocka_unit_test(refuses_forms_that_are_cut_short),
        cmocka_unit_test(finds_the_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
