// libFuzzer: arbitrary tokens against rbac/jwt.c. The input's first byte chooses: a raw token; or header and
// payload of a token that is signed for it, so that the claims' reader is reached.
//   clang -fsanitize=fuzzer,address,undefined … tests/fuzz/jwt.c
#include "rbac/jwt.h"

#include "base/arena.h"
#include "base/crypto.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_claims(struct arena *arena, const struct jwt_parts *parts)
{
    static const char *const audiences[] = {"https://a", NULL};
    const json_t *claims = jwt_claims(arena, parts);
    if (!claims)
        return;
    struct text claimed;
    int64_t at;
    jwt_audience(claims, audiences, &claimed);
    jwt_time(claims, "exp", &at);
    jwt_string(claims, "iss");
}

static struct text sign(struct arena *arena, const struct rbac_key *key, struct text header,
                        struct text payload)
{
    struct text first = text_base64url(arena, header.base, header.length);
    struct text second = text_base64url(arena, payload.base, payload.length);
    struct text input = text_of(arena_printf(arena, "%.*s.%.*s", TEXT_ARG(first), TEXT_ARG(second)));
    unsigned char mac[32];
    crypto_hmac_sha256((struct text){(const char *)key->secret, 32}, input, mac);
    struct text third = text_base64url(arena, mac, sizeof mac);
    return text_of(arena_printf(arena, "%.*s.%.*s", TEXT_ARG(input), TEXT_ARG(third)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rbac_key key = {.kid = "k", .use = "registry"};
    if (size < 2)
        return 0;
    struct arena *arena = arena_new();
    struct text input = {(const char *)data + 1, size - 1};
    struct jwt_parts parts;
    if (data[0] % 3 == 0) {
        if (jwt_split(arena, input, &parts) && jwt_signature_good(&parts, &key))
            read_claims(arena, &parts);
    } else if (data[0] % 3 == 1) {
        struct text header = TEXT("{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":\"JWT\"}");
        struct text token = sign(arena, &key, header, input);
        if (jwt_split(arena, token, &parts)) {
            if (!jwt_signature_good(&parts, &key))
                abort();
            read_claims(arena, &parts);
        } else if (token.length <= JWT_LENGTH_LIMIT) {
            abort();
        }
    } else if (jwt_split(arena, sign(arena, &key, input, TEXT("{}")), &parts)) {
        jwt_signature_good(&parts, &key);
    }
    arena_free(arena);
    return 0;
}
