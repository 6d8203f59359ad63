/* test_descriptors.c: how few descriptors are divided: connections leave some for files. */
#include "process/descriptors.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>

static const struct engine_ops loop = { .name = "loop" };
static const struct engine_ops loops = { .name = "loops", .settings = ENGINE_SETTING_THREADS };

static struct config config_of(uint32_t connections, uint32_t files)
{
    return (struct config){ .connections_max = connections,
                            .cache_files_max = files,
                            .threads = 4,
                            .roots_count = 3,
                            .access_logs_count = 2,
                            .listens_count = 1 };
}

/* What is open besides connections and files. */
static uint64_t open_of(const struct config *config, uint64_t count)
{
    return START_OPEN + config->roots_count +
           count * (config->access_logs_count + config->listens_count + LOOP_OPEN);
}

/* A connection, the file that it sends, a pipe: there is one for each of them, whatever the limit;
 * and a connection for each loop. */
static void test_each_connection_finds_a_file(void **state)
{
    (void)state;
    for (uint64_t limit = 1; limit < 30000; limit += limit < 2000 ? 1 : 97) {
        for (unsigned i = 0; i < 8; i++) {
            const struct engine_ops *ops = (i & 1) != 0 ? &loops : &loop;
            uint64_t count = (i & 1) != 0 ? 4 : 1;
            struct config config = config_of(10240, (i & 2) != 0 ? 4096 : 0);
            config.file_io = (i & 4) != 0 ? FILE_IO_SPLICE : FILE_IO_AUTO;
            uint64_t all = needed(&config, count, config.connections_max);
            if (limit >= all)
                continue; /* it is not asked then */
            uint32_t files_max = config.cache_files_max;
            descriptors_share(&config, ops, limit);
            uint64_t taken = open_of(&config, count) + config.connections_max;
            assert_true(config.connections_max >= count && config.connections_max <= 10240);
            assert_true(config.cache_files_max <= files_max);
            if (config.connections_max > count)
                assert_true(taken <= limit);
            uint64_t each = config.file_io == FILE_IO_SPLICE ? 3 : 1;
            if (config.connections_max > count && config.cache_files_max < files_max)
                assert_true(taken + each * config.connections_max + config.cache_files_max <=
                            limit);
        }
    }
}

/* One less than what is needed costs one connection, and one more none. */
static void test_nearly_enough(void **state)
{
    (void)state;
    struct config config = config_of(10240, 4096);
    descriptors_share(&config, &loop, needed(&config, 1, 10240) - 1);
    assert_int_equal(config.connections_max, 10239);
    assert_int_equal(config.cache_files_max, 4096);
}

/* 64, as some container has them. */
static void test_few(void **state)
{
    (void)state;
    struct config config = config_of(10240, 4096);
    descriptors_share(&config, &loop, 64);
    assert_in_range(config.connections_max, 10, 20);
    assert_in_range(config.cache_files_max, 5, 10);
    config = config_of(8, 4096); /* it does not grow */
    descriptors_share(&config, &loop, 64);
    assert_int_equal(config.connections_max, 8);
}

/* Threads of leader-followers share what one loop has open. */
static void test_threads_that_share(void **state)
{
    (void)state;
    const struct config config = config_of(100, 100);
    const struct engine_ops turns = { .settings = ENGINE_SETTING_THREADS, .shares_env = true };
    assert_int_equal(loops_of(&config, &loops), 4);
    assert_int_equal(loops_of(&config, &turns), 1);
    assert_true(engine_leader_followers.shares_env && !engine_multi_reactor.shares_env);
}

/* A process for each connection: the limit is one process's, so there may be as many as before. */
static void test_processes(void **state)
{
    (void)state;
    struct config config = config_of(10240, 4096);
    const struct engine_ops *forks = &engine_process_per_connection;
    assert_int_equal(connections_of(&config, forks), 1);
    assert_int_equal(connections_of(&config, &engine_thread_per_connection), 10240);
    descriptors_share(&config, forks, 64);
    assert_int_equal(config.connections_max, 10240);
    assert_in_range(config.cache_files_max, 5, 10);
}

/* proc(5), FDSize: the descriptors for which there is room. */
static uint64_t table_size(void)
{
    char line[200];
    uint64_t size = 0;
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (size == 0 && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "FDSize: %" SCNu64, &size);
    fclose(file);
    return size;
}

/* The table is made once, before there are threads, and no larger than the limit. */
static void test_table_does_not_grow(void **state)
{
    (void)state;
    const struct config config = config_of(1000, 100);
    struct rlimit before, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = (struct rlimit){ 512, before.rlim_max };
    assert_true(table_size() < 512);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    descriptors_reserve(&config, &loop);
    assert_int_equal(table_size(), 512);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    descriptors_reserve(&config, &loop);
    assert_in_range(table_size(), needed(&config, 1, 1000), 4096);
    int next = dup(0);
    assert_in_range(next, 3, 100); /* nothing of it stays open */
    close(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_connection_finds_a_file),
        cmocka_unit_test(test_nearly_enough),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_threads_that_share),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_table_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
