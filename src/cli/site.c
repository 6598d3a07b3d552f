// lacquer site: the page as static files, with detection on the visitor's own device.
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/look_options.h"
#include "cli/site_device.h"
#include "cli/site_folder.h"
#include "cli/site_page.h"

enum { OPT_OUT = 0x900, OPT_DEVICE };

static const struct argp_option options[] = {
    {"out", OPT_OUT, "DIR", 0, "The folder to write: new, empty, or with an earlier site", 1},
    {"model", 'm', "FILE", 0, "The network for devices, .onnx (default: Lacquer's own)", 1},
    {"device", OPT_DEVICE, "DIR", 0,
     "The folder with the page's own engine, as the build makes it (default: the program's "
     "own)", 1},
    {0}};

struct arguments {
    struct lq_cli_look look; // where looks are found
    const char *out, *model, *device;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->look;
        return 0;
    case OPT_OUT: arguments->out = arg; return 0;
    case 'm': arguments->model = arg; return 0;
    case OPT_DEVICE: arguments->device = arg; return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not an option", arg);
        return 0;
    case ARGP_KEY_END:
        if (!arguments->out)
            argp_error(state, "--out is missing: the folder to write the site to");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&lq_cli_looks_argp, 0, NULL, 0}, {0}};

const struct argp lq_site_argp = {
    options, parse, NULL,
    "Writes the try-on page as static files for any web host, below any path: the page, the looks, "
    "and the engine that finds nails on the visitor's own device. The site needs no Lacquer "
    "server, and no picture leaves the device.\v"
    "The command never touches other files in DIR. Writing a site again removes the files that "
    "only the earlier site had.\n"
    "The page uses several threads, and so is faster, only if its host sends "
    "'Cross-Origin-Opener-Policy: same-origin' and 'Cross-Origin-Embedder-Policy: require-corp'. "
    "DIR/_headers sets them on Netlify and Cloudflare Pages; docs/integrations/static.md has the "
    "lines for nginx. On other hosts the site's service worker adds them from the second visit on.",
    children, NULL, NULL};

static int make_plan(struct lq_site_plan *plan, const struct arguments *arguments,
                     struct lq_error *err)
{
    struct lq_site_device device = {.folder = arguments->device, .model = arguments->model};
    int status = lq_site_add_device(plan, &device, err);
    if (status == LQ_OK)
        status = lq_site_add_api(plan, arguments->look.catalogue, device.model_name, err);
    if (status == LQ_OK)
        status = lq_site_add_page(plan, err);
    if (status == LQ_OK)
        status = lq_site_add_hosting(plan, err);
    return status;
}

int lq_cli_site(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct lq_error error;
    lq_cli_look_init(&arguments.look);
    argp_parse(&lq_site_argp, argc, argv, 0, NULL, &arguments);
    struct lq_site_plan *plan = malloc(sizeof *plan);
    int status = plan ? LQ_OK : lq_fail(&error, LQ_ERR_MEMORY, "out of memory");
    if (plan) {
        lq_site_plan_init(plan);
        status = make_plan(plan, &arguments, &error);
    }
    if (status == LQ_OK)
        status = lq_site_folder_write(arguments.out, plan, &error);
    if (status == LQ_OK)
        printf("%s: %d files, %.1f MB. Try it: python3 -m http.server -d %s\n", arguments.out,
               plan->count, (double)lq_site_plan_bytes(plan) / 1e6, arguments.out);
    if (plan)
        lq_site_plan_release(plan);
    free(plan);
    lq_cli_look_release(&arguments.look);
    return status == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&error);
}
