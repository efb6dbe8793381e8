// azsacrd recover list | restore: what was deleted within the retention that the operator set
// (deleted_retention).
#include "cli/change.h"
#include "cli/commands.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/crypto.h"
#include "cli/options.h"
#include "db/database.h"
#include "rp/data/retention.h"

#include <stdio.h>
#include <string.h>

struct request {
    struct change super;
    bool restores;
    struct text registry, repository, reference; // absent where not given
};

static bool act(struct db_transaction *tx, void *argument)
{
    struct request *r = argument;
    if (!r->restores) {
        r->super.json = retention_list(tx, r->super.arena, r->registry, r->repository);
        return true;
    }
    struct recovered did = retention_restore(tx, r->super.arena, r->registry, r->repository, r->reference,
                                             r->super.config->registry_quota);
    if (did.why != NULL) {
        r->super.why = did.why;
        return false;
    }
    struct buffer b = buffer_new(r->super.arena);
    json_begin_object(&b);
    json_key_int(&b, "manifests", did.manifests);
    json_key_int(&b, "tags", did.tags);
    json_key_int(&b, "manifestsAlreadyThere", did.present);
    json_key_int(&b, "tagsInUseAgain", did.tags_taken);
    json_key_int(&b, "bytes", did.bytes);
    json_end_object(&b);
    r->super.json = buffer_done(&b);
    return true;
}

// "repository", "repository@digest" or "repository:tag".
static void read_image(struct request *r, const char *image)
{
    struct text all = text_of(image);
    ptrdiff_t mark = text_find(all, '@');
    if (mark < 0)
        mark = text_find(all, ':');
    r->repository = mark < 0 ? all : text_slice(all, 0, (size_t)mark);
    if (mark >= 0)
        r->reference = text_slice(all, (size_t)mark + 1, all.length);
}

static const char usage[] =
    "list [REGISTRY [REPOSITORY]]\n"
    "restore REGISTRY REPOSITORY                   all that was deleted there and is still kept\n"
    "restore REGISTRY REPOSITORY@DIGEST            one manifest, and what it lists\n"
    "restore REGISTRY REPOSITORY:TAG               what the tag named when it was deleted\n"
    "(kept is what was deleted while `deleted_retention` was set, for so many days, unless the disk is "
    "short)";

int command_recover(int argc, char **argv)
{
    struct option options[] = {{"state", false, "the state directory", NULL}, {NULL, false, NULL, NULL}};
    int left = options_parse("recover", usage, argc, argv, options);
    if (left < 0)
        return 2;
    struct request r = {.super.arena = arena_new()};
    r.restores = left == 3 && strcmp(argv[0], "restore") == 0;
    int status = 2;
    if (!r.restores && (left < 1 || left > 3 || strcmp(argv[0], "list") != 0)) {
        options_usage(stderr, "recover", usage);
    } else {
        if (left > 1)
            r.registry = text_of(argv[1]);
        if (left > 2 && r.restores)
            read_image(&r, argv[2]);
        else if (left > 2)
            r.repository = text_of(argv[2]);
        status = change_run(&r.super, options[0].value, NULL, act);
    }
    arena_free(r.super.arena);
    return status;
}
