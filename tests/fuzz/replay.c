/* replay.c: runs a fuzz target without libFuzzer, with any compiler.
 *
 *   fuzz_NAME [--mutations N] FILE|FOLDER...
 *
 * Feeds each seed, every prefix of it (a cut is where parsers err most), then N mutations. All is
 * derived from the seeds in the order of their names, so that a run repeats exactly. An input that
 * crashes is left in replay-crash.bin. tests/fuzz/CMakeLists.txt builds one program a target. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEEDS_MAX = 4096, INPUT_SIZE_MAX = 1 << 16, PREFIXES_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

struct seed {
    char *path;
    uint8_t *data;
    size_t size;
};

static struct seed seeds[SEEDS_MAX];
static size_t seeds_count;
static uint64_t runs;
static uint64_t random_state = 0x9e3779b97f4a7c15;

/* What is being fed, for the crash handler. */
static const uint8_t *current_data;
static size_t current_size;

static void die(const char *what, const char *path)
{
    fprintf(stderr, "replay: %s: %s\n", path, what);
    exit(2);
}

/* Async-signal-safe. */
static void keep_current(void)
{
    static const char text[] = "replay: the input is in replay-crash.bin\n";
    int fd = open("replay-crash.bin", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0 && write(fd, current_data, current_size) == (ssize_t)current_size)
        (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
}

static void crashed(int signal_number)
{
    keep_current();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void watch_for_crashes(void)
{
    static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(keep_current);
        signal(SIGABRT, crashed); /* a failed CHECK() is not the sanitizer's */
        return;
    }
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], crashed);
}

/* xorshift64star: small, fast, and the same everywhere. */
static size_t random_below(size_t limit)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (size_t)((random_state * 0x2545f4914f6cdd1d) >> 33) % limit;
}

/* The target gets a block of exactly `size` octets, so that AddressSanitizer sees one read too
 * many. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        die("out of memory", "feed");
    memcpy(exact, data, size);
    current_data = exact;
    current_size = size;
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    runs++;
}

static void add_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        die(strerror(errno), path);
    if (seeds_count == SEEDS_MAX)
        die("too many seeds", path);
    uint8_t *data = malloc(INPUT_SIZE_MAX);
    if (!data)
        die("out of memory", path);
    size_t size = fread(data, 1, INPUT_SIZE_MAX, file);
    if (ferror(file) || fgetc(file) != EOF)
        die("unreadable, or larger than 64 KiB", path);
    fclose(file);
    seeds[seeds_count++] = (struct seed){ .path = strdup(path), .data = data, .size = size };
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void add_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        die(strerror(errno), path);
    if (!S_ISDIR(st.st_mode)) {
        add_file(path);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, visible, alphasort);
    if (count < 0)
        die(strerror(errno), path);
    for (int i = 0; i < count; i++) {
        char full[4096];
        int length = snprintf(full, sizeof(full), "%s/%s", path, entries[i]->d_name);
        if (length < 0 || (size_t)length >= sizeof(full))
            die("the path is too long", path);
        add_path(full);
        free(entries[i]);
    }
    free(entries);
}

static void feed_prefixes(const struct seed *seed)
{
    size_t step = seed->size / PREFIXES_MAX + 1;
    for (size_t size = 0; size < seed->size; size += step)
        feed(seed->data, size);
}

/* One small change of `input`, in place; the new size. */
static size_t mutate_once(uint8_t *input, size_t size)
{
    static const uint8_t telling[] = "\0\t\n\r \"#%&*+,-./0:;<=>?@[]\\^\x7f\x80\xc0\xed\xff";
    size_t at = random_below(size + 1);
    size_t length = random_below(16) + 1;
    const struct seed *other = &seeds[random_below(seeds_count)];
    switch (random_below(6)) {
    case 0: /* flip a bit */
        if (at < size)
            input[at] ^= (uint8_t)(1u << random_below(8));
        return size;
    case 1: /* an octet that means something to a parser */
        if (at < size)
            input[at] = telling[random_below(sizeof(telling) - 1)];
        return size;
    case 2: /* insert one */
        if (size == INPUT_SIZE_MAX)
            return size;
        memmove(input + at + 1, input + at, size - at);
        input[at] = telling[random_below(sizeof(telling) - 1)];
        return size + 1;
    case 3: /* remove a piece */
        if (length > size - at)
            length = size - at;
        memmove(input + at, input + at + length, size - at - length);
        return size - length;
    case 4: /* repeat a piece */
        if (length > size - at)
            length = size - at;
        if (size + length > INPUT_SIZE_MAX)
            return size;
        memmove(input + at + length, input + at, size - at);
        return size + length;
    default: /* go on as another seed does */
        length = other->size ? random_below(other->size) : 0;
        if (at + other->size - length > INPUT_SIZE_MAX)
            return size;
        memcpy(input + at, other->data + length, other->size - length);
        return at + other->size - length;
    }
}

static void feed_mutations(uint64_t count)
{
    static uint8_t input[INPUT_SIZE_MAX];
    for (uint64_t i = 0; i < count; i++) {
        const struct seed *seed = &seeds[i % seeds_count];
        size_t size = seed->size;
        memcpy(input, seed->data, size);
        for (size_t changes = random_below(4) + 1; changes > 0; changes--)
            size = mutate_once(input, size);
        feed(input, size);
    }
}

int main(int argc, char **argv)
{
    uint64_t mutations = 0;
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--mutations") == 0 && i + 1 < argc)
            mutations = strtoull(argv[++i], NULL, 10);
        else
            add_path(argv[i]);
    }
    if (!seeds_count) {
        fprintf(stderr, "usage: %s [--mutations N] FILE|FOLDER...  (no seed found)\n", argv[0]);
        return 2;
    }
    watch_for_crashes();
    for (size_t i = 0; i < seeds_count; i++) {
        feed(seeds[i].data, seeds[i].size);
        feed_prefixes(&seeds[i]);
    }
    feed_mutations(mutations);
    printf("%zu seeds, %llu runs\n", seeds_count, (unsigned long long)runs);
    for (size_t i = 0; i < seeds_count; i++) {
        free(seeds[i].path);
        free(seeds[i].data);
    }
    return 0;
}
