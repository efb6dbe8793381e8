// The thread that begins write-backs, and what waits for it.
#include "rp/data/store_write_back.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { WAITING_MOST = 256, PATH_ROOM = 64 };

struct range {
    int root;
    char path[PATH_ROOM];
    int64_t from, length;
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t given;
    bool running;
    size_t first, count;
    struct range waiting[WAITING_MOST];
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER, .given = PTHREAD_COND_INITIALIZER};

// Through a descriptor of its own: a copy of the writer's would keep the file's lock after its end.
static void begin(const struct range *range)
{
    int descriptor = openat(range->root, range->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return;
    (void)sync_file_range(descriptor, range->from, range->length, SYNC_FILE_RANGE_WRITE);
    close(descriptor);
}

static void *run(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&queue.mutex);
    for (;;) {
        while (queue.count == 0)
            pthread_cond_wait(&queue.given, &queue.mutex);
        struct range range = queue.waiting[queue.first];
        queue.first = (queue.first + 1) % WAITING_MOST;
        queue.count--;
        pthread_mutex_unlock(&queue.mutex);
        begin(&range);
        pthread_mutex_lock(&queue.mutex);
    }
    return NULL;
}

static bool is_running(void)
{
    pthread_t thread;
    if (!queue.running && pthread_create(&thread, NULL, run, NULL) == 0)
        queue.running = pthread_detach(thread) == 0;
    return queue.running;
}

void store_write_back(int root, const char *path, int64_t from, int64_t length)
{
    pthread_mutex_lock(&queue.mutex);
    if (is_running() && queue.count < WAITING_MOST) {
        struct range *range = &queue.waiting[(queue.first + queue.count) % WAITING_MOST];
        *range = (struct range){.root = root, .from = from, .length = length};
        snprintf(range->path, sizeof range->path, "%s", path);
        queue.count++;
        pthread_cond_signal(&queue.given);
    }
    pthread_mutex_unlock(&queue.mutex);
}
