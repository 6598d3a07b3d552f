#include "serve/guard/token.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "serve/guard/secret.h"

enum { TOKEN_CHARS_MIN = 16, TOKEN_FILE_BYTES_MAX = 64 * 1024 };

static bool is_token(const char *text, size_t len)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=";
    for (size_t i = 0; i < len; i++)
        if (!text[i] || !strchr(set, text[i]))
            return false;
    return len >= TOKEN_CHARS_MIN && len <= LQ_TOKEN_CHARS_MAX;
}

// Adds one line, without its line end. Its contents must never appear in an error.
static int add_line(struct lq_tokens *tokens, const char *line, size_t len, const char *path,
                    int number, struct lq_error *err)
{
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
        len--;
    if (len == 0 || line[0] == '#')
        return LQ_OK;
    if (!is_token(line, len))
        return lq_fail(err, LQ_ERR_ARGUMENT,
                       "'%.120s' line %d: a token has %d to %d letters, digits or -._~+/=", path,
                       number, TOKEN_CHARS_MIN, LQ_TOKEN_CHARS_MAX);
    if (tokens->count == LQ_TOKENS_MAX)
        return lq_fail(err, LQ_ERR_ARGUMENT, "'%.120s' holds more than %d tokens", path,
                       LQ_TOKENS_MAX);
    SHA256((const uint8_t *)line, len, tokens->digests[tokens->count++]);
    return LQ_OK;
}

static int read_lines(struct lq_tokens *tokens, const struct lq_buf *file, const char *path,
                      struct lq_error *err)
{
    const char *at = (const char *)file->data, *end = at + file->len;
    int status = LQ_OK;
    for (int number = 1; status == LQ_OK && at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = stop ? stop : end;
        status = add_line(tokens, at, (size_t)(line_end - at), path, number, err);
        at = stop ? stop + 1 : end;
    }
    if (status == LQ_OK && tokens->count == 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "'%.120s' holds no token", path);
    return status;
}

int lq_tokens_read(struct lq_tokens *tokens, const char *path, struct lq_error *err)
{
    struct lq_tokens read = {0};
    struct lq_buf file;
    lq_buf_init(&file, TOKEN_FILE_BYTES_MAX);
    int status = lq_secret_read(path, &file, err);
    if (status == LQ_OK && file.len == 0)
        status = lq_fail(err, LQ_ERR_ARGUMENT, "'%.120s' holds no token", path);
    if (status == LQ_OK)
        status = read_lines(&read, &file, path, err);
    if (status == LQ_OK)
        *tokens = read;
    if (file.data)
        OPENSSL_cleanse(file.data, file.cap);
    lq_buf_release(&file);
    return status;
}

bool lq_tokens_allow(const struct lq_tokens *tokens, const char *text, size_t len,
                     uint8_t digest[LQ_TOKEN_DIGEST_BYTES])
{
    SHA256((const uint8_t *)text, len, digest);
    return lq_tokens_know(tokens, digest);
}

bool lq_tokens_know(const struct lq_tokens *tokens, const uint8_t digest[LQ_TOKEN_DIGEST_BYTES])
{
    int found = 0;
    for (int i = 0; i < tokens->count; i++)
        found |= CRYPTO_memcmp(tokens->digests[i], digest,
                              LQ_TOKEN_DIGEST_BYTES) == 0;
    return found;
}
