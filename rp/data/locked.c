// Which lock refuses a change: the refusal names the object and the attribute, so that nobody has to search.
#include "rp/data/content_route.h"

#include "base/arena.h"

// $2 digest and $3 tag, null where absent; $4 whether it is a deletion (a digest's tags count then, and
// delete_enabled does); $5 whether all of the repository is meant. The outermost lock comes first.
static const struct db_statement locked_statement = {
    "locked_by",
    "select kind, name, write_enabled from ("
    " select 1 as place, 'repository' as kind, p.name, p.write_enabled, p.delete_enabled from acr.repository "
    "p"
    " where p.id = $1"
    " union all select 2, 'manifest', m.digest, m.write_enabled, m.delete_enabled from acr.manifest m"
    " where m.repository_id = $1 and ($5::boolean or m.digest = $2 or m.id ="
    "   (select t.manifest_id from acr.tag t where t.repository_id = $1 and t.name = $3))"
    " union all select 3, 'tag', t.name, t.write_enabled, t.delete_enabled from acr.tag t"
    " where t.repository_id = $1 and ($5 or t.name = $3 or ($4::boolean and t.manifest_id ="
    "   (select m.id from acr.manifest m where m.repository_id = $1 and m.digest = $2)))"
    ") object where not write_enabled or ($4 and not delete_enabled) order by place, name limit 1"};

void fail_locked(struct registry_call *call, int64_t repository, struct text digest, struct text tag,
                 bool deletion)
{
    const struct db_result *locked =
        DB_RUN(call->tx, &locked_statement, db_int(repository), db_text(digest), db_text(tag),
               db_bool(deletion), db_bool(digest.base == NULL && tag.base == NULL));
    const char *why = NULL;
    if (db_rows(locked) == 1)
        why = locked_because(call, db_get(locked, 0, 0).base, db_get(locked, 0, 1),
                             db_get_bool(locked, 0, 2) ? "deleteEnabled" : "writeEnabled");
    fail_disallowed(call, why);
}

const char *locked_because(struct registry_call *call, const char *kind, struct text name,
                           const char *attribute)
{
    return arena_printf(call->arena, "The %s '%.*s' is locked: its attribute %s is false", kind,
                        TEXT_ARG(name), attribute);
}

void fail_repository_locked(struct registry_call *call, const char *attribute)
{
    fail_disallowed(call, locked_because(call, "repository", call->repository, attribute));
}
