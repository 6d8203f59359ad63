/* test_last_words.c: what a process says on standard error is passed on, and its last lines are kept. */
#include "process/last_words.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void say(struct last_words *words, int end, const char *text)
{
    assert_int_equal(write(end, text, strlen(text)), (ssize_t)strlen(text));
    last_words_hear(words);
}

static void assert_last(struct last_words *words, const char *expected)
{
    char text[LAST_WORDS_MAX + 1];

    memcpy(text, words->text, words->len);
    text[words->len] = '\0';
    assert_string_equal(last_lines(text), expected);
}

static void test_lines(void **state)
{
    (void)state;
    struct last_words words;
    int end;

    last_words_init(&words);
    last_words_hear(&words);
    assert_int_equal(last_words_open(&words, &end), 0);
    assert_last(&words, "");
    say(&words, end, "one");
    assert_last(&words, "one");
    say(&words, end, "\ntwo\nthree\nfour\nfive\n");
    assert_last(&words, "one\ntwo\nthree\nfour\nfive\n");
    say(&words, end, "\n\nsix");
    assert_last(&words, "two\nthree\nfour\nfive\n\n\nsix");
    close(end);
    last_words_hear(&words);
    assert_int_equal(words.fd, -1);
    last_words_tell(&words, 0, 1);
    assert_int_equal(words.len, 0);
}

static void test_much(void **state)
{
    (void)state;
    struct last_words words;
    char line[LAST_WORDS_MAX + 100];
    int end;

    last_words_init(&words);
    assert_int_equal(last_words_open(&words, &end), 0);
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    for (int i = 0; i < 10; i++) {
        say(&words, end, line);
        assert_int_equal(words.len, LAST_WORDS_MAX);
    }
    say(&words, end, "\nend");
    assert_int_equal(words.len, LAST_WORDS_MAX);
    assert_memory_equal(words.text + words.len - 4, "\nend", 4);
    int again;
    assert_int_equal(last_words_open(&words, &again), 0); /* of a process that follows */
    assert_int_equal(words.len, 0);
    close(end);
    close(again);
    last_words_close(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
