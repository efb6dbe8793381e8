// The failpoints of test builds.
#include "base/failpoint.h"

#ifdef AZSACR_FAILPOINTS
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void hold(const char *file)
{
    char reached[520];
    if (access(file, F_OK) != 0)
        return;
    snprintf(reached, sizeof reached, "%s.reached", file);
    int fd = open(reached, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        close(fd);
    for (int i = 0; i < 60000 && access(file, F_OK) == 0; i++)
        usleep(1000);
}

static void act(const char *action)
{
    if (strncmp(action, "die", 3) == 0)
        _exit(86);
    if (strncmp(action, "wait:", 5) == 0)
        usleep((useconds_t)strtoul(action + 5, NULL, 10) * 1000);
    if (strncmp(action, "hold:", 5) == 0)
        hold(action + 5);
}

static void from_directory(const char *directory, const char *name)
{
    char path[512], action[512] = "";
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fgets(action, sizeof action, file) != NULL)
        action[strcspn(action, "\n")] = '\0';
    fclose(file);
    act(action);
}

static void from_environment(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *p = list; p != NULL && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        if (strncmp(p, name, length) != 0 || p[length] != '=')
            continue;
        char action[512];
        snprintf(action, sizeof action, "%s", p + length + 1);
        action[strcspn(action, ",")] = '\0';
        act(action);
    }
}

void failpoint(const char *name)
{
    const char *directory = getenv("AZSACR_FAILPOINT_DIRECTORY");
    const char *list = getenv("AZSACR_FAILPOINTS");
    if (directory != NULL)
        from_directory(directory, name);
    if (list != NULL)
        from_environment(list, name);
}

bool failpoint_is_set(const char *name)
{
    const char *directory = getenv("AZSACR_FAILPOINT_DIRECTORY");
    const char *list = getenv("AZSACR_FAILPOINTS");
    char path[512];
    if (list != NULL && strstr(list, name) != NULL)
        return true;
    if (directory == NULL)
        return false;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}
#else
typedef int failpoints_are_compiled_out;
#endif
