// A running server and a raw client for the suites that need them.
#pragma once
#include "base/arena.h"
#include "http/server.h"

#include <check.h>

#define CLOSE "Connection: close\r\n\r\n"

extern struct http_server *server; // NULL once a test has stopped it
extern struct arena *arena;
extern char directory[64]; // of the sockets
extern char format[96];    // their socket_format

// "here" and "*.wild.test". Paths: /none 204, /same 304, /blob, /long, /later (from a thread), /hold
// (take_held), anything else tells of the request.
extern const struct http_host hosts[2];

void setup(void);
void setup_with(const char *loopback);
void teardown(void);
void refuse(struct http_exchange *x, int status, const char *why);
// Waits for a request of /hold; the test ends it.
struct http_exchange *take_held(void);

int dial(size_t loop);
void say(int fd, const char *bytes);
char *read_all(int fd);
char *ask(const char *bytes); // sends, and reads until the server closes
size_t times(const char *text, const char *what);
void expect(const char *text, const char *what);
