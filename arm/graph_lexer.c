// A query's text taken apart: words, strings, numbers, symbols. Comments and blanks are skipped.
#include "arm/graph_lexer.h"

#include "base/arena.h"
#include "base/buffer.h"

enum { TOKENS = 4096, SHOWN = 100 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void place_of(struct text text, size_t offset, size_t *line, size_t *character)
{
    *line = *character = 1;
    for (size_t i = 0; i < offset && i < text.length; i++) {
        ++*character;
        if (text.base[i] == '\n') {
            ++*line;
            *character = 1;
        }
    }
}

void graph_fail(struct graph_parser *p, const struct graph_token *token, const char *why)
{
    size_t line, character;
    if (p->failed)
        return;
    p->failed = true;
    place_of(p->text, token->offset, &line, &character);
    struct text word = token->text;
    if (word.length > SHOWN) {
        word.length = SHOWN;
        while (word.length > 0 && ((unsigned char)word.base[word.length] & 0xc0) == 0x80)
            word.length--;
    }
    p->fault->word = word;
    p->fault->message =
        token->kind == TOKEN_END
            ? arena_printf(p->arena, "The query is invalid: at its end %s.", why)
            : arena_printf(p->arena, "The query is invalid: '%.*s' at line %zu, character %zu: %s.",
                           TEXT_ARG(word), line, character, why);
}

static size_t skip_blanks(struct text text, size_t at)
{
    while (at < text.length) {
        char c = text.base[at];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            at++;
        else if (c == '/' && at + 1 < text.length && text.base[at + 1] == '/')
            while (at < text.length && text.base[at] != '\n')
                at++;
        else
            break;
    }
    return at;
}

static bool escape(char c, char *meant)
{
    static const char written[] = "ntr\\\"'", meanings[] = "\n\t\r\\\"'";
    for (size_t i = 0; written[i]; i++)
        if (c == written[i]) {
            *meant = meanings[i];
            return true;
        }
    return false;
}

// From the quote on; the offset behind it, 0 when it does not end or has an escape that is none. Verbatim
// strings (@'…') have no escapes but the doubled quote.
static size_t read_string(struct graph_parser *p, size_t at, bool verbatim, struct text *value)
{
    char quote = p->text.base[at++];
    struct buffer b = buffer_new(p->arena);
    for (; at < p->text.length; at++) {
        char c = p->text.base[at];
        if (c == quote) {
            if (!verbatim || at + 1 >= p->text.length || p->text.base[at + 1] != quote) {
                *value = b.length > 0 ? buffer_done(&b) : TEXT("");
                return at + 1;
            }
            at++;
        }
        bool escaped = c == '\\' && !verbatim;
        if (c == '\n' || (escaped && (++at == p->text.length || !escape(p->text.base[at], &c))))
            return 0;
        buffer_char(&b, c);
    }
    return 0;
}

static size_t symbol_length(struct text rest)
{
    static const char *const pairs[] = {"==", "!=", "=~", "!~", "<=", ">="};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (text_starts(rest, pairs[i]))
            return 2;
    return strchr("|(),.[]=<>!~-;*", rest.base[0]) ? 1 : 0;
}

// The offset behind the token that begins at `at`; 0 after a fault.
static size_t read_token(struct graph_parser *p, size_t at, struct graph_token *token)
{
    struct text text = p->text;
    char c = text.base[at];
    size_t end = at + 1;
    bool verbatim = c == '@' && end < text.length && (text.base[end] == '\'' || text.base[end] == '"');
    token->offset = at;
    token->text = text_slice(text, at, end);
    if (is_letter(c)) {
        token->kind = TOKEN_WORD;
        while (end < text.length && (is_letter(text.base[end]) || is_digit(text.base[end])))
            end++;
    } else if (is_digit(c)) {
        token->kind = TOKEN_NUMBER;
        while (end < text.length &&
               (is_digit(text.base[end]) ||
                (text.base[end] == '.' && end + 1 < text.length && is_digit(text.base[end + 1]))))
            end++;
    } else if (c == '\'' || c == '"' || verbatim) {
        token->kind = TOKEN_STRING;
        end = read_string(p, at + verbatim, verbatim, &token->value);
        if (end == 0) {
            token->text = text_slice(text, at, text.length);
            graph_fail(p, token, "this string does not end, or has an escape that is not known");
        }
    } else {
        token->kind = TOKEN_SYMBOL;
        size_t length = symbol_length(text_slice(text, at, text.length));
        while (end < text.length && ((unsigned char)text.base[end] & 0xc0) == 0x80) // a whole character
            end++;
        if (length == 0) {
            token->text = text_slice(text, at, end);
            graph_fail(p, token, "this character is not supported here");
            return 0;
        }
        end = at + length;
    }
    if (end > 0)
        token->text = text_slice(text, at, end);
    return end;
}

bool graph_lex(struct graph_parser *p)
{
    p->tokens = ARENA_ARRAY(p->arena, struct graph_token, TOKENS + 1);
    size_t at = 0, count = 0;
    for (;;) {
        size_t start = skip_blanks(p->text, at);
        struct graph_token *token = &p->tokens[count];
        token->glued = start == at;
        if (start == p->text.length) {
            *token = (struct graph_token){.kind = TOKEN_END, .text = TEXT(""), .offset = start};
            return true;
        }
        at = read_token(p, start, token);
        if (at == 0)
            return false;
        if (++count == TOKENS) {
            graph_fail(p, token, "the query has too many words");
            return false;
        }
    }
}

const struct graph_token *graph_peek(const struct graph_parser *p, size_t ahead)
{
    const struct graph_token *token = &p->tokens[p->at];
    for (; ahead > 0 && token->kind != TOKEN_END; ahead--)
        token++;
    return token;
}

static bool take(struct graph_parser *p, enum graph_token_kind kind, const char *text)
{
    const struct graph_token *token = graph_peek(p, 0);
    if (token->kind != kind || !text_is(token->text, text))
        return false;
    p->at++;
    return true;
}

bool graph_take_symbol(struct graph_parser *p, const char *symbol)
{
    return take(p, TOKEN_SYMBOL, symbol);
}

bool graph_take_word(struct graph_parser *p, const char *word)
{
    return take(p, TOKEN_WORD, word);
}

bool graph_expect(struct graph_parser *p, const char *symbol)
{
    if (graph_take_symbol(p, symbol))
        return true;
    graph_fail(p, graph_peek(p, 0), arena_printf(p->arena, "'%s' is expected", symbol));
    return false;
}
