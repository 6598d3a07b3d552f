// The options of a command as one table: a row names an option, says what --help and the manual
// print of it, and where its value goes. argp reads the command line; no command does so itself.
// Threads: the main one, before a command begins its work.
// Owner: nobody; tables are constants, and texts point into argv.
#pragma once

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

enum lq_cli_kind {
    LQ_CLI_HEADING,
    LQ_CLI_ON,      // true, and takes no value
    LQ_CLI_OFF,     // false, and takes no value
    LQ_CLI_TEXT,
    LQ_CLI_INTEGER, // an int from `low` to `high`
    LQ_CLI_FLOAT,   // a number from `low` to `high`
    LQ_CLI_DOUBLE,
    LQ_CLI_WORD,    // the index of one of `words`
    LQ_CLI_CALL,    // what `call` makes of it
};

struct lq_cli_option {
    const char *name;  // NULL: `doc` is a heading, or the table ends if there is none
    const char *value; // what --help calls its value; NULL: it takes none
    const char *doc;
    int group;         // options of one group stand together in --help
    enum lq_cli_kind kind;
    size_t at;         // where in the command's input its value goes
    double low, high;
    const char *const *words; // ends with NULL
    // `arg` is NULL where no value was given. Ends the program by argp_error over a bad one.
    void (*call)(struct argp_state *state, void *input, char *arg);
    int letter;        // 'm' for -m; 0: none
    int flags;         // argp's: OPTION_HIDDEN, OPTION_ALIAS, OPTION_ARG_OPTIONAL
};

// What a row ends with: kind and place. The compiler refuses a member of another type.
#define LQ_CLI_AT(type, member, wanted)                                                           \
    .at = _Generic(((type *)0)->member, wanted : offsetof(type, member))
#define LQ_CLI_TAKE_ON(type, member) .kind = LQ_CLI_ON, LQ_CLI_AT(type, member, bool)
#define LQ_CLI_TAKE_OFF(type, member) .kind = LQ_CLI_OFF, LQ_CLI_AT(type, member, bool)
#define LQ_CLI_TAKE_TEXT(type, member) .kind = LQ_CLI_TEXT, LQ_CLI_AT(type, member, const char *)
#define LQ_CLI_TAKE_INTEGER(type, member, least, most)                                            \
    .kind = LQ_CLI_INTEGER, LQ_CLI_AT(type, member, int), .low = (least), .high = (most)
#define LQ_CLI_TAKE_NUMBER(type, member, least, most)                                             \
    .kind = _Generic(((type *)0)->member, float : LQ_CLI_FLOAT, double : LQ_CLI_DOUBLE),          \
    .at = offsetof(type, member), .low = (least), .high = (most)
#define LQ_CLI_TAKE_WORD(type, member, list)                                                      \
    .kind = LQ_CLI_WORD, .words = (list),                                                         \
    .at = _Generic(((type *)0)->member, int : offsetof(type, member),                             \
                   unsigned : offsetof(type, member)) // an enum is one of them
#define LQ_CLI_TAKE_CALL(function) .kind = LQ_CLI_CALL, .call = (function)

struct lq_cli_part;

struct lq_cli_words {
    int count;
    size_t at[2]; // of a const char * each
    const char *too_many; // what is said of one more
};

// What stands on a command's line.
struct lq_cli_spec {
    const struct lq_cli_option *options;
    const struct lq_cli_part *parts; // options that commands share; NULL: none
    const char *args_doc, *doc;      // as argp has them
    // Words that are no options: put where `words` says, in their order, or given to `argument` one
    // by one, or left to `rest`. With none of these they are refused.
    struct lq_cli_words words;
    void (*argument)(struct argp_state *state, void *input, char *word);
    void (*rest)(struct argp_state *state, void *input);
    // All is read: whether it fits together. Parts come first.
    void (*check)(struct argp_state *state, void *input);
};

struct lq_cli_part {
    const struct lq_cli_spec *spec; // NULL: the list ends
    size_t at;                      // where in the command's input the part's own is
};

// Reads the command line into `input`, a struct of the command's own. Ends the program with
// LQ_EXIT_USAGE over wrong use, and after --help.
void lq_cli_parse(const struct lq_cli_spec *spec, int argc, char **argv, void *input);

// The index of one of these words, of which NULL is the last, or an argp usage error.
int lq_cli_word(struct argp_state *state, const char *option, const char *text,
                const char *const *words);
