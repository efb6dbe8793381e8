// Pushes and deletes by several clients at once: usage is exact whatever the order was.
#include "rp/images.h"

#include "base/arena.h"
#include "rp/data/acr.h"
#include "rp/data/content.h"
#include "rp/data/manifests.h"
#include "rp/data/sweep.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, TURNS = 150, ROUNDS = 60 };

struct worker {
    pthread_t thread;
    unsigned seed;
    int failures;
};

static void random_act(struct client *client, unsigned *seed, int *failures)
{
    static const char *const repositories[] = {"a", "b", "c/d"};
    char body[4096], tag[16];
    struct arena *arena = arena_new();
    const char *repository = repositories[rand_r(seed) % 3];
    int first = 1 + rand_r(seed) % 4, act = rand_r(seed) % 100, status;
    image(body, sizeof body, first, first + 1 + rand_r(seed) % 3, rand_r(seed) % 3);
    snprintf(tag, sizeof tag, "t%d", rand_r(seed) % 4);
    if (act < 45)
        status = put(client, repository, tag, body);
    else if (act < 55)
        status = put(client, repository, image_digest(arena, body), body);
    else if (act < 80)
        status =
            client_run(client, HTTP_DELETE, manifest_delete, repository, image_digest(arena, body), NULL);
    else if (act < 90)
        status = client_run(client, HTTP_DELETE, manifest_delete, repository, tag, NULL);
    else if (act < 93)
        status = (add_blobs(repository, 1, 7), 0);
    else if (act < 96)
        status = client_run(client, HTTP_GET, acr_tags_list, repository, NULL, NULL);
    else {
        status = client_run(client, HTTP_DELETE, acr_repository_delete, repository, NULL, NULL);
        if (status == 202)
            add_blobs(repository, 1, 7);
    }
    if (status >= 500)
        ++*failures;
    arena_free(arena);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct client client = client_new();
    for (int i = 0; i < TURNS; i++)
        random_act(&client, &worker->seed, &worker->failures);
    client_free(&client);
    return NULL;
}

static void run_workers(void *(*run)(void *), struct worker *workers, int count)
{
    for (int i = 0; i < count; i++) {
        workers[i].failures = 0;
        pthread_create(&workers[i].thread, NULL, run, &workers[i]);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        ck_assert_int_eq(workers[i].failures, 0);
    }
}

START_TEST(random_acts_at_once)
{
    struct worker workers[THREADS];
    registry_fixture_clear();
    add_blobs("a", 1, 7);
    add_blobs("b", 1, 7);
    add_blobs("c/d", 1, 7);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < THREADS; i++)
            workers[i].seed = (unsigned)(round * THREADS + i + 1);
        run_workers(work, workers, THREADS);
        check_counts();
    }
}
END_TEST

// Nothing is kept a moment longer than it must be: the sweep takes what the pushes are about to refer to.
START_TEST(beside_the_sweep_and_the_jobs)
{
    struct worker workers[THREADS];
    registry_fixture_clear();
    setenv("AZSACR_SWEEP_GRACE_MS", "0", 1);
    struct db_target target = {registry_fixture_config()->database, "azsacr test", 10000};
    struct sweep *sweep = sweep_start(&target);
    struct job_workers *jobs = job_workers_start(&target, content_job_kinds, 1);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < THREADS; i++)
            workers[i].seed = (unsigned)(100 + round * THREADS + i);
        run_workers(work, workers, THREADS);
    }
    for (int i = 0; i < 200; i++) {
        job_workers_nudge(jobs);
        usleep(50000);
        if (registry_fixture_number(
                "select count(*) from azsacr.job where state in ('Pending', 'Running')") == 0)
            break;
    }
    sweep_stop(sweep);
    job_workers_stop(jobs);
    check_counts();
    ck_assert_int_eq(registry_fixture_number("select count(*) from azsacr.job where state <> 'Succeeded'"),
                     0);
    ck_assert_int_eq(
        registry_fixture_number("select count(*) from acr.repository where deleted_at is not null"), 0);
}
END_TEST

static pthread_barrier_t barrier;

static void *push_shared(void *argument)
{
    struct worker *worker = argument;
    struct client client = client_new();
    char body[4096], tag[32];
    for (int round = 0; round < ROUNDS; round++) {
        int first = 10 + round * 2; // new blobs in each round, shared by both
        snprintf(tag, sizeof tag, "r%d-%u", round, worker->seed);
        image(body, sizeof body, first, first + 1, (int)worker->seed);
        pthread_barrier_wait(&barrier);
        if (put(&client, worker->seed ? "a" : "b", tag, body) != 201)
            worker->failures++;
    }
    client_free(&client);
    return NULL;
}

START_TEST(a_shared_new_layer_counts_once)
{
    struct worker workers[2] = {{.seed = 0}, {.seed = 1}};
    registry_fixture_clear();
    add_blobs("a", 10, 10 + ROUNDS * 2);
    add_blobs("b", 10, 10 + ROUNDS * 2);
    pthread_barrier_init(&barrier, NULL, 2);
    run_workers(push_shared, workers, 2);
    pthread_barrier_destroy(&barrier);
    check_counts();
}
END_TEST

static bool jobs_are_done(void)
{
    return registry_fixture_number("select count(*) from azsacr.job where state <> 'Succeeded'") == 0;
}

// Who waits for a repository's row while it is deleted holds the dead row afterwards, and then waits for the
// mutex. The job that removes the row had the mutex and waited for the row: a deadlock of a second, found
// under load by beside_the_sweep_and_the_jobs.
START_TEST(a_dead_row_that_is_held_is_left_for_later)
{
    struct client client = client_new();
    char body[4096];
    registry_fixture_clear();
    add_blobs("a", 1, 3);
    image(body, sizeof body, 1, 3, 0);
    ck_assert_int_eq(put(&client, "a", "v1", body), 201);
    ck_assert_int_eq(client_run(&client, HTTP_DELETE, acr_repository_delete, "a", NULL, NULL), 202);
    PGconn *holder = PQconnectdb(registry_fixture_config()->database);
    PQclear(PQexec(holder, "begin"));
    PGresult *held =
        PQexec(holder, "select 1 from acr.repository where deleted_at is not null for key share");
    ck_assert_int_eq(PQntuples(held), 1);
    PQclear(held);
    struct db_target target = {registry_fixture_config()->database, "azsacr test", 10000};
    struct job_workers *jobs = job_workers_start(&target, content_job_kinds, 1);
    for (int i = 0; i < 10; i++) {
        job_workers_nudge(jobs);
        usleep(50000);
    }
    ck_assert(!jobs_are_done());
    // Nobody holds the mutex for the sake of the row.
    held = PQexec(holder, "select 1 from acr.registry_usage for no key update nowait");
    ck_assert_int_eq(PQntuples(held), 1);
    PQclear(held);
    PQfinish(holder);
    for (int i = 0; i < 400 && !jobs_are_done(); i++) {
        job_workers_nudge(jobs);
        usleep(50000);
    }
    job_workers_stop(jobs);
    ck_assert(jobs_are_done());
    ck_assert_int_eq(registry_fixture_number("select count(*) from acr.repository"), 0);
    check_counts();
    client_free(&client);
}
END_TEST

Suite *suite_content_at_once(void);
Suite *suite_content_at_once(void)
{
    Suite *suite = suite_create("content_at_once");
    TCase *tcase = tcase_create("registry");
    tcase_add_unchecked_fixture(tcase, registry_fixture_start, registry_fixture_stop);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, random_acts_at_once);
    tcase_add_test(tcase, beside_the_sweep_and_the_jobs);
    tcase_add_test(tcase, a_shared_new_layer_counts_once);
    tcase_add_test(tcase, a_dead_row_that_is_held_is_left_for_later);
    suite_add_tcase(suite, tcase);
    return suite;
}
