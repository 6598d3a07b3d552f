// lacquer site: the page as static files, with detection on the visitor's own device.
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/look_options.h"
#include "cli/site_device.h"
#include "cli/site_folder.h"
#include "cli/site_page.h"

struct site {
    struct lq_cli_look look; // for the folder of looks
    const char *out, *model, *device;
};

static const struct lq_cli_option options[] = {
    {"out", "DIR", "The folder to write: new, empty, or with an earlier site", 1,
     LQ_CLI_TAKE_TEXT(struct site, out)},
    {"model", "FILE", "The network for devices, .onnx (default: Lacquer's own)", 1,
     LQ_CLI_TAKE_TEXT(struct site, model), .letter = 'm'},
    {"device", "DIR",
     "The folder with the page's own engine, as the build makes it (default: the program's "
     "own)", 1, LQ_CLI_TAKE_TEXT(struct site, device)},
    {0}};

static void check(struct argp_state *state, void *input)
{
    const struct site *site = input;
    if (!site->out)
        argp_error(state, "--out is missing: the folder to write the site to");
}


static int make_plan(struct lq_site_plan *plan, const struct site *site,
                     struct lq_error *err)
{
    struct lq_site_device device = {.folder = site->device, .model = site->model};
    int status = lq_site_add_device(plan, &device, err);
    if (status == LQ_OK)
        status = lq_site_add_api(plan, site->look.catalogue, device.model_name, err);
    if (status == LQ_OK)
        status = lq_site_add_page(plan, err);
    if (status == LQ_OK)
        status = lq_site_add_hosting(plan, err);
    return status;
}

static int run_command(int argc, char **argv)
{
    struct site site = {0};
    struct lq_error error;
    lq_cli_look_init(&site.look);
    lq_cli_parse(&lq_site_command.line, argc, argv, &site);
    struct lq_site_plan *plan = malloc(sizeof *plan);
    int status = plan ? LQ_OK : lq_fail(&error, LQ_ERR_MEMORY, "out of memory");
    if (plan) {
        lq_site_plan_init(plan);
        status = make_plan(plan, &site, &error);
    }
    if (status == LQ_OK)
        status = lq_site_folder_write(site.out, plan, &error);
    if (status == LQ_OK)
        printf("%s: %d files, %.1f MB. Try it: python3 -m http.server -d %s\n", site.out,
               plan->count, (double)lq_site_plan_bytes(plan) / 1e6, site.out);
    if (plan)
        lq_site_plan_release(plan);
    free(plan);
    lq_cli_look_release(&site.look);
    return status == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&error);
}

static const struct lq_cli_part parts[] = {
    {&lq_cli_looks_spec, offsetof(struct site, look)}, {0}};

const struct lq_command lq_site_command = {
    "site", "write the page as static files that need no server", run_command,
    {.options = options, .parts = parts, .check = check,
     .doc = "Writes the try-on page as static files for any web host, below any path: the "
            "page, the looks, and the engine that finds nails on the visitor's own device. The "
            "site needs no Lacquer server, and no picture leaves the device.\vThe command "
            "never touches other files in DIR. Writing a site again removes the files that "
            "only the earlier site had.\nThe page uses several threads, and so is faster, only "
            "if its host sends 'Cross-Origin-Opener-Policy: same-origin' and "
            "'Cross-Origin-Embedder-Policy: require-corp'. DIR/_headers sets them on Netlify "
            "and Cloudflare Pages; docs/integrations/static.md has the lines for nginx. On "
            "other hosts the site's service worker adds them from the second visit on."}};
