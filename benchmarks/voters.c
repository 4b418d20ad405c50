/* Voters for benchmarks/load.py: many at once, on one thread, so that they leave the machine to the server.

   voters PORT N_VOTERS THINK_MS SECONDS VOTES_EACH ACKNOWLEDGED [PATIENCE_MS]

   Each voter does over HTTP what the page does: opens it for a cookie, asks for a ballot, thinks, sends a verdict, waits
   for the acknowledgement, asks for the next ballot. After VOTES_EACH votes somebody new takes its place (0: never). A
   refusal with Retry-After is obeyed, but for at most PATIENCE_MS, and the same is sent again; so is what was under way
   when a connection was closed. Ids of ballots whose votes were acknowledged go to the file ACKNOWLEDGED, one a line.
   When the time is over no new ballots are asked for; verdicts under way are awaited.

   On stdout one line of JSON: counts, and times in microseconds from the verdict's first byte to the acknowledgement's
   last. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum step { PAGE, BALLOT, VOTE, STOPPED };
enum { ROOM = 1 << 20, MOST_TIMES = 10 * 1000 * 1000, DRAIN_MS = 30000 };

struct voter {
    int fd, is_connected, n_votes, was_used;
    enum step step;
    char cookie[256], ballot[64], request[1024];
    size_t n_request, n_sent, n_got, room;
    char *got;
    int64_t wake_at, sent_at; /* wake_at 0: waiting for the server */
};

static struct sockaddr_in server;
static int epoll_fd, votes_each, is_over;
static int64_t think_us, patience_us;
static FILE *acknowledged;
static uint32_t *vote_times, *ballot_times;
static long n_votes, n_ballots, n_pages, n_calm, n_refused, n_errors, n_again, n_done_voters;
static long by_status[600];
static char first_error[300];

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void error_of(const struct voter *v, const char *what) {
    if (!n_errors++) snprintf(first_error, sizeof first_error, "step %d: %.200s", v->step, what);
    if (getenv("VOTERS_LOUD")) fprintf(stderr, "step %d: %.300s\n", v->step, what);
}

static void hang_up(struct voter *v) {
    if (v->fd >= 0) close(v->fd);
    v->fd = -1;
}

static void reach(struct voter *v) {
    int yes = 1;
    v->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (v->fd < 0) { perror("socket"); exit(2); }
    setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    v->is_connected = v->was_used = 0;
    if (connect(v->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) {
        error_of(v, strerror(errno));
        hang_up(v);
        v->wake_at = now_us() + 100000;
        return;
    }
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data.ptr = v};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, v->fd, &e);
}

static void flush(struct voter *v) {
    while (v->is_connected && v->n_sent < v->n_request) {
        ssize_t n = send(v->fd, v->request + v->n_sent, v->n_request - v->n_sent, MSG_NOSIGNAL);
        if (n <= 0) return; /* full: EPOLLOUT comes; closed: so does the hang-up */
        v->n_sent += (size_t)n;
    }
}

/* Sends what the step asks for, anew or again. */
static void ask(struct voter *v, int is_new) {
    char body[80] = "{}";
    v->wake_at = 0;
    v->n_sent = v->n_got = 0;
    if (is_new) v->sent_at = now_us();
    if (v->step == PAGE) {
        v->n_request = (size_t)snprintf(v->request, sizeof v->request,
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/html\r\n\r\n", ntohs(server.sin_port));
    } else {
        char path[100] = "/api/ballots";
        if (v->step == VOTE) {
            snprintf(path, sizeof path, "/api/ballots/%s/vote", v->ballot);
            snprintf(body, sizeof body, "{\"verdict\":\"%s\"}", rand() % 5 == 0 ? "tie" : rand() % 2 ? "A" : "B");
        }
        if (is_new || v->step != VOTE) /* a verdict that is sent again is the same */
            v->n_request = (size_t)snprintf(v->request, sizeof v->request,
                "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\nCookie: %s\r\n"
                "Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                path, ntohs(server.sin_port), ntohs(server.sin_port), v->cookie, strlen(body), body);
    }
    if (v->fd < 0) reach(v);
    else v->was_used = 1;
    flush(v);
}

static void begin(struct voter *v, enum step step) {
    v->step = step;
    ask(v, 1);
}

static const char *header(const char *head, const char *name) {
    const char *found = strcasestr(head, name);
    return found ? found + strlen(name) : NULL;
}

/* A whole answer is here; `body` is what follows its head, ended by a zero. */
static void answered(struct voter *v, char *head, char *body) {
    int status = atoi(head + 9);
    const char *told = header(head, "\r\nconnection: ");
    int is_last = told && !strncasecmp(told, "close", 5);
    by_status[status < 600 && status > 0 ? status : 0]++;
    if (is_last) hang_up(v);
    if (status == 429 || status == 503) {
        const char *pause = header(head, "\r\nretry-after: ");
        if (!pause || !strstr(body, v->step == PAGE && status == 429 ? "<p>" : "\"message\"")) {
            n_refused++;
            error_of(v, body);
        } else n_calm++;
        int64_t wait = pause ? atol(pause) * 1000000LL : 1000000;
        v->wake_at = now_us() + (wait < patience_us ? wait : patience_us);
        if (is_over && v->step != VOTE) v->step = STOPPED;
        return;
    }
    if (v->step == PAGE) {
        const char *cookie = header(head, "\r\nset-cookie: ");
        if (status != 200 || !cookie) { error_of(v, head); v->wake_at = now_us() + 1000000; return; }
        snprintf(v->cookie, sizeof v->cookie, "%.*s", (int)strcspn(cookie, ";\r"), cookie);
        n_pages++;
        v->n_votes = 0;
        if (is_over) v->step = STOPPED;
        else begin(v, BALLOT);
    } else if (v->step == BALLOT) {
        const char *id = strstr(body, "\"ballot_id\":\"");
        if (status != 200 || !id) {
            error_of(v, body);
            v->step = PAGE;
            v->wake_at = now_us() + 1000000;
            return;
        }
        id += 13;
        snprintf(v->ballot, sizeof v->ballot, "%.*s", (int)strcspn(id, "\""), id);
        if (n_ballots < MOST_TIMES) ballot_times[n_ballots] = (uint32_t)(now_us() - v->sent_at);
        n_ballots++;
        if (is_over) { v->step = STOPPED; return; }
        v->step = VOTE;
        v->n_request = 0;
        if (think_us) v->wake_at = now_us() + think_us;
        else ask(v, 1);
    } else if (v->step == VOTE) {
        if (status != 200) {
            error_of(v, body);
            v->step = BALLOT;
            v->wake_at = now_us() + 1000000;
            return;
        }
        if (n_votes < MOST_TIMES) vote_times[n_votes] = (uint32_t)(now_us() - v->sent_at);
        n_votes++;
        v->n_votes++;
        fprintf(acknowledged, "%s\n", v->ballot);
        if (is_over) v->step = STOPPED;
        else if (votes_each && v->n_votes >= votes_each) { n_done_voters++; begin(v, PAGE); }
        else begin(v, BALLOT);
    }
}

/* The connection is gone: what was under way is sent again on a new one, as a browser does. */
static void lost(struct voter *v) {
    int was_waiting = v->wake_at == 0 && v->step != STOPPED;
    hang_up(v);
    if (!was_waiting) return;
    if (!v->was_used || v->n_got) error_of(v, "the connection was closed during a request");
    n_again++;
    ask(v, 0);
}

static void read_from(struct voter *v) {
    while (v->fd >= 0) {
        if (v->n_got + 1 >= v->room) { error_of(v, "an answer of more than 1 MB"); exit(2); }
        ssize_t n = recv(v->fd, v->got + v->n_got, v->room - v->n_got - 1, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (n <= 0) { lost(v); return; }
        v->n_got += (size_t)n;
        v->got[v->n_got] = 0;
        char *end = strstr(v->got, "\r\n\r\n");
        if (!end) continue;
        end[2] = 0;
        const char *length = header(v->got, "\r\ncontent-length: ");
        size_t n_body = length ? (size_t)atol(length) : 0;
        end[2] = '\r';
        if (!length) { error_of(v, "an answer without a length"); exit(2); }
        if (v->n_got < (size_t)(end + 4 - v->got) + n_body) continue;
        end[2] = 0;
        v->n_got = 0;
        answered(v, v->got, end + 4);
    }
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void print_times(const char *name, uint32_t *times, long n) {
    if (n > MOST_TIMES) n = MOST_TIMES;
    qsort(times, (size_t)n, sizeof *times, ascending);
    printf(", \"%s\": {\"n\": %ld", name, n);
    static const int shares[] = {50, 95, 99, 100};
    for (int i = 0; n && i < 4; i++) {
        long at = (n * shares[i] + 99) / 100 - 1;
        printf(", \"p%d\": %u", shares[i], times[at < 0 ? 0 : at]);
    }
    printf("}");
}

int main(int argc, char **argv) {
    if (argc < 7) { fprintf(stderr, "usage: voters PORT N_VOTERS THINK_MS SECONDS VOTES_EACH ACKNOWLEDGED [PATIENCE_MS]\n"); return 2; }
    int n_voters = atoi(argv[2]);
    think_us = atol(argv[3]) * 1000LL;
    int64_t seconds = atol(argv[4]);
    votes_each = atoi(argv[5]);
    acknowledged = fopen(argv[6], "w");
    patience_us = (argc > 7 ? atol(argv[7]) : 60000) * 1000LL;
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
    epoll_fd = epoll_create1(0);
    vote_times = malloc(sizeof *vote_times * MOST_TIMES); /* untouched pages cost nothing */
    ballot_times = malloc(sizeof *ballot_times * MOST_TIMES);
    struct voter *voters = calloc((size_t)n_voters, sizeof *voters);
    if (!acknowledged || !vote_times || !ballot_times || !voters) { perror("voters"); return 2; }
    int64_t began = now_us();
    for (int i = 0; i < n_voters; i++) {
        struct voter *v = &voters[i];
        v->fd = -1;
        v->room = ROOM;
        v->got = malloc(ROOM);
        v->step = PAGE;
        /* They come one after the other, spread over one time of thought, and not in step. */
        v->wake_at = began + 1 + think_us * i / n_voters;
    }
    struct epoll_event events[512];
    for (int64_t now = began;; now = now_us()) {
        int64_t next = now + 50000;
        int n_busy = 0;
        is_over = now - began >= seconds * 1000000;
        for (int i = 0; i < n_voters; i++) {
            struct voter *v = &voters[i];
            /* Who thinks, or was to ask for something, goes home; a verdict that was sent is awaited. */
            if (is_over && v->wake_at && (v->step != VOTE || v->n_request == 0)) v->step = STOPPED;
            if (v->step == STOPPED) continue;
            n_busy++;
            if (!v->wake_at) continue;
            if (v->wake_at <= now) ask(v, v->step != VOTE || v->n_request == 0);
            else if (v->wake_at < next) next = v->wake_at;
        }
        if (!n_busy || now - began > seconds * 1000000 + DRAIN_MS * 1000LL) break;
        int n = epoll_wait(epoll_fd, events, 512, (int)((next - now + 999) / 1000));
        for (int i = 0; i < n; i++) {
            struct voter *v = events[i].data.ptr;
            if (v->fd < 0) continue;
            if (events[i].events & EPOLLOUT) { v->is_connected = 1; flush(v); }
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) read_from(v);
        }
    }
    double took = (double)(now_us() - began) / 1e6;
    long n_unanswered = 0;
    for (int i = 0; i < n_voters; i++) n_unanswered += voters[i].step != STOPPED;
    fclose(acknowledged);
    printf("{\"seconds\": %.3f, \"votes\": %ld, \"ballots\": %ld, \"pages\": %ld, \"calm\": %ld, \"errors\": %ld, "
           "\"again\": %ld, \"unanswered\": %ld", took, n_votes, n_ballots, n_pages, n_calm, n_errors, n_again, n_unanswered);
    print_times("vote_us", vote_times, n_votes);
    print_times("ballot_us", ballot_times, n_ballots);
    printf(", \"status\": {");
    for (int i = 0, first = 1; i < 600; i++)
        if (by_status[i]) { printf("%s\"%d\": %ld", first ? "" : ", ", i, by_status[i]); first = 0; }
    for (char *c = first_error; *c; c++) if (*c == '"' || *c == '\\' || (unsigned char)*c < 32) *c = '\'';
    printf("}, \"first_error\": \"%s\"}\n", first_error);
    return 0;
}
