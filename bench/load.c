/* load: sends prepared requests over keep-alive connections to 127.0.0.1 and checks every answer.
 *
 *   load -p PORT -c CONNECTIONS -f FILE -s SECONDS [-y] [-r RATE] [-o FILE] -e STATUS -w WORDS
 *
 * FILE holds requests, each behind its length in four bytes, little endian. A connection sends its next request when
 * its answer is complete; each request is sent once, or with -y again and again. An answer is good if it has this
 * status and holds these words. With -r that many requests are due a second, and a time counts from when its request
 * was due. With -o the answers are kept in that file, framed like the requests. Ends when no request is left or the
 * seconds are over; then prints one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <time.h>

enum { ANSWER_BYTES = 1 << 18, MOST_CONNECTIONS = 1024, DRAIN_SECONDS = 15 };

struct request { const char *bytes; uint32_t length; };
struct connection { int fd, busy; size_t have; uint64_t since; char *answer; };

static struct request *requests;
static FILE *kept;
static size_t count, issued, answered, bad;
static double *times, rate;
static size_t room;
static struct connection connections[MOST_CONNECTIONS];
static struct sockaddr_in server;
static int events, again, wanted_status;
static const char *wanted_words = "";
static uint64_t start, end, last;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(2);
}

static void read_requests(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    fseek(file, 0, SEEK_END);
    size_t size = ftell(file), at = 0;
    rewind(file);
    char *bytes = malloc(size + 1);
    if (fread(bytes, 1, size, file) != size) die(path);
    fclose(file);
    while (at + 4 <= size) {
        uint32_t length;
        memcpy(&length, bytes + at, 4);
        if (count % 4096 == 0) requests = realloc(requests, (count + 4096) * sizeof *requests);
        requests[count++] = (struct request){bytes + at + 4, length};
        at += 4 + length;
    }
    if (!count) { fprintf(stderr, "%s holds no requests\n", path); exit(2); }
}

static void join(struct connection *c) {
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof server) < 0) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(events, EPOLL_CTL_ADD, c->fd, &event);
}

/* The nanosecond at which the next request is due. */
static uint64_t due(void) { return rate > 0 ? start + (uint64_t)(issued * 1e9 / rate) : 0; }

static int left(uint64_t at) { return at < end && (again || issued < count); }

static void ask(struct connection *c, uint64_t at) {
    if (!left(at) || due() > at) return;
    const struct request *r = &requests[issued % count];
    c->since = rate > 0 ? due() : at;
    c->have = 0;
    c->busy = 1;
    issued++;
    if (send(c->fd, r->bytes, r->length, MSG_NOSIGNAL) != (ssize_t)r->length && errno != EPIPE && errno != ECONNRESET)
        die("send");
}

/* The length of the whole answer, or 0 while its head is not complete; -1 if it does not say. */
static long whole(struct connection *c) {
    c->answer[c->have] = 0;
    char *body = memmem(c->answer, c->have, "\r\n\r\n", 4);
    if (!body) return 0;
    char *length = strcasestr(c->answer, "\r\ncontent-length:");
    if (!length || length > body) return -1;
    return body + 4 - c->answer + atol(length + 17);
}

static void tell_bad(const char *why, struct connection *c) {
    if (bad++ == 0) fprintf(stderr, "first bad answer (%s): %.*s\n", why, (int)(c->have > 1500 ? 1500 : c->have), c->answer);
}

static void done(struct connection *c, const char *why) {
    last = now();
    if (!why && atoi(c->answer + 9) != wanted_status) why = "status";
    if (!why && !memmem(c->answer, c->have, wanted_words, strlen(wanted_words))) why = "words";
    if (why) tell_bad(why, c);
    if (answered == room) times = realloc(times, (room = room ? room * 2 : 65536) * sizeof *times);
    times[answered++] = (last - c->since) / 1e6;
    c->busy = 0;
    if (kept) {
        uint32_t length = c->have;
        fwrite(&length, sizeof length, 1, kept);
        fwrite(c->answer, 1, length, kept);
    }
}

static void hear(struct connection *c) {
    ssize_t got = recv(c->fd, c->answer + c->have, ANSWER_BYTES - 1 - c->have, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0) c->have += got;
    long length = got > 0 ? whole(c) : -1;
    if (length < 0 || c->have == ANSWER_BYTES - 1) {
        if (c->busy) done(c, got > 0 ? "no length" : "connection closed");
        close(c->fd);
        join(c);
    } else if (length > 0 && c->have >= (size_t)length) {
        done(c, c->have > (size_t)length ? "too long" : NULL);
    } else {
        return;
    }
    ask(c, now());
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double at_share(double share) { return answered ? times[(size_t)((answered - 1) * share)] : 0; }

static void run(int many) {
    for (;;) {
        int busy = 0, wait = 1000;
        uint64_t at = now();
        for (int i = 0; i < many; i++) {
            if (!connections[i].busy) ask(&connections[i], at);
            busy += connections[i].busy;
        }
        if (!busy && !left(at)) return;
        if (at > end + DRAIN_SECONDS * 1000000000ull) {
            for (int i = 0; i < many; i++)
                if (connections[i].busy) done(&connections[i], "no answer");
            return;
        }
        if (rate > 0 && busy < many && left(at)) wait = due() > at ? (int)((due() - at) / 1000000) : 0;
        struct epoll_event found[256];
        int ready = epoll_wait(events, found, 256, wait > 1000 ? 1000 : wait);
        for (int i = 0; i < ready; i++) hear(found[i].data.ptr);
    }
}

int main(int argc, char **argv) {
    int option, many = 32;
    double seconds = 3;
    const char *path = NULL;
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    while ((option = getopt(argc, argv, "p:c:f:s:yr:o:e:w:")) > 0) switch (option) {
        case 'p': server.sin_port = htons(atoi(optarg)); break;
        case 'c': many = atoi(optarg); break;
        case 'f': path = optarg; break;
        case 's': seconds = atof(optarg); break;
        case 'y': again = 1; break;
        case 'r': rate = atof(optarg); break;
        case 'o': if (!(kept = fopen(optarg, "wb"))) die(optarg); break;
        case 'e': wanted_status = atoi(optarg); break;
        case 'w': wanted_words = optarg; break;
        default: return 2;
    }
    if (!path || many < 1 || many > MOST_CONNECTIONS) return 2;
    read_requests(path);
    events = epoll_create1(0);
    for (int i = 0; i < many; i++) {
        connections[i].answer = malloc(ANSWER_BYTES);
        join(&connections[i]);
    }
    usleep(20000);
    start = last = now();
    end = start + (uint64_t)(seconds * 1e9);
    run(many);
    if (kept && fclose(kept)) die("answers");
    qsort(times, answered, sizeof *times, by_size);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double took = (last - start) / 1e9;
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"answers\": %zu, \"bad\": %zu, \"seconds\": %.6f, \"p50\": %.4f, \"p99\": %.4f, \"longest\": %.4f, \"cpu\": %.4f}\n",
           answered, bad, took, at_share(0.5), at_share(0.99), at_share(1), cpu);
    return 0;
}
