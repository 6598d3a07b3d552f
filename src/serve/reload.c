// SIGHUP: renews the certificate and changes tokens without stopping the server.
#include "serve/reload.h"

#include "base/log.h"
#include "serve/guard/certificate.h"
#include "serve/sio/clients.h"

// Disconnects clients whose token was removed.
static int end_revoked(const struct lq_reload *reload)
{
    int count = 0;
    for (struct lq_session *each = reload->admission->sessions; each; each = each->next)
        if (each->has_token && !each->revoked &&
            !lq_tokens_know(&reload->access->tokens, each->token)) {
            each->revoked = true;
            count++;
        }
    if (count > 0) {
        lq_live_end_revoked(reload->live);
        lq_sio_end_revoked(reload->sio);
    }
    return count;
}

// Changes everything or nothing: unusable files are detected first.
void lq_reload(const struct lq_reload *reload)
{
    const struct lq_serve_options *options = reload->listeners->options;
    struct lq_tokens tokens;
    struct lq_error error;
    struct lq_tls_pair pair = {0};
    int status = options->token_file ? lq_tokens_read(&tokens, options->token_file, &error) : LQ_OK;
    if (status == LQ_OK && options->tls_cert) {
        status = lq_tls_pair_get(&pair, options, &error);
        if (status == LQ_OK)
            status = lq_tls_pair_use(&pair, reload->listeners->ssl, &error);
        lq_tls_pair_release(&pair);
    }
    const char *both = options->tls_cert && options->token_file ? "certificate and tokens"
                       : options->tls_cert                      ? "certificate"
                                                                : "tokens";
    if (status != LQ_OK) {
        lq_log_error("nothing was changed, the old %s stay in use: %s", both, error.text);
        return;
    }
    if (options->token_file)
        reload->access->tokens = tokens;
    int ended = options->token_file ? end_revoked(reload) : 0;
    lq_log_info("reloaded: %s; sessions ended because their token was removed: %d", both, ended);
}
