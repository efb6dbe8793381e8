// Paging of the data plane's lists: n, last, orderby, and the Link to what follows (data-plane.md 2.2).
#include "rp/data/content_route.h"

#include "base/arena.h"

// The end of the year 9999, in microseconds: what the database adds up without a fault.
static const int64_t LAST_TIME = 253402300799999999;

static bool read_count(struct registry_call *call, struct page *page)
{
    struct text n = http_query(call->request, "n");
    page->n = PAGE_LIMIT;
    if (n.base == NULL)
        return true;
    if (!text_to_int64(n, &page->n) || page->n < 0) {
        registry_fail(call, 400, "PAGINATION_NUMBER_INVALID", detail_of(call, "n", n),
                      "invalid number of results requested");
        return false;
    }
    if (page->n > PAGE_LIMIT)
        page->n = PAGE_LIMIT;
    return true;
}

static bool read_order(struct registry_call *call, struct page *page)
{
    if (page->orderby.length == 0 || text_is_nocase(page->orderby, "none"))
        page->order = PAGE_BY_NAME;
    else if (text_is_nocase(page->orderby, "timedesc"))
        page->order = PAGE_TIME_DESCENDING;
    else if (text_is_nocase(page->orderby, "timeasc"))
        page->order = PAGE_TIME_ASCENDING;
    else {
        registry_fail(call, 400, "BAD_REQUEST", detail_of(call, "orderby", page->orderby),
                      "orderby must be timedesc or timeasc");
        return false;
    }
    return true;
}

// Under an order by time `last` is "<microseconds>/<name>": opaque to clients, which send it back as it came.
static bool read_last(struct registry_call *call, struct page *page)
{
    struct text last = http_query(call->request, "last");
    if (last.length == 0)
        return true;
    page->last = last;
    if (page->order == PAGE_BY_NAME)
        return true;
    ptrdiff_t slash = text_find(last, '/');
    if (slash > 0 && text_to_int64(text_slice(last, 0, (size_t)slash), &page->last_time) &&
        page->last_time >= 0 && page->last_time <= LAST_TIME) {
        page->last = text_slice(last, (size_t)slash + 1, last.length);
        return true;
    }
    registry_fail(call, 400, "BAD_REQUEST", detail_of(call, "last", last),
                  "last must be taken from the Link of the page before");
    return false;
}

bool page_read(struct registry_call *call, bool ordered, struct page *page)
{
    *page = (struct page){0};
    page->orderby = ordered ? http_query(call->request, "orderby") : TEXT_NONE;
    if (!read_count(call, page) || !read_order(call, page) || !read_last(call, page))
        return false;
    // What is no UTF-8 is no name, and the database would not take it.
    if (!text_is_utf8(page->last)) {
        registry_fail(call, 400, "BAD_REQUEST", TEXT_NONE, "last must be UTF-8");
        return false;
    }
    return true;
}

void page_link(struct registry_call *call, const struct page *page, struct text last, int64_t last_time,
               const char *extra)
{
    struct buffer out = buffer_new(call->arena);
    buffer_char(&out, '<');
    buffer_text(&out, call->request->path);
    buffer_string(&out, "?last=");
    if (page->order != PAGE_BY_NAME)
        buffer_format(&out, "%lld%%2F", (long long)last_time);
    buffer_text(&out, text_percent_encode(call->arena, last));
    buffer_format(&out, "&n=%lld&orderby=", (long long)page->n);
    buffer_text(&out, text_percent_encode(call->arena, page->orderby));
    if (extra)
        buffer_string(&out, extra);
    buffer_string(&out, ">; rel=\"next\"");
    http_set_header(call->answer, "Link", buffer_done(&out));
}

size_t page_rows(const struct page *page, const struct db_result *result)
{
    size_t rows = db_rows(result);
    return rows > (size_t)page->n ? (size_t)page->n : rows;
}

// "n=0" asks for no item and so for no page behind it (OCI distribution 1.1).
bool page_has_more(const struct page *page, const struct db_result *result)
{
    return page->n > 0 && db_rows(result) > (size_t)page->n;
}
