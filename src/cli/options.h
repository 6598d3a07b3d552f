// The options of a command as one table. A row contains an option's name, its text for --help and
// the manual, and the member that receives its value. argp parses the command line; no command does
// so itself.
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
    LQ_CLI_CALL,    // `call` parses it
};

struct lq_cli_option {
    const char *name;  // NULL: `doc` is a heading; if that is NULL too, the table ends
    const char *value; // the value's name in --help; NULL: the option takes no value
    const char *doc;
    int group;         // --help lists the options of a group together
    enum lq_cli_kind kind;
    size_t at;         // offset in the command's input at which the value is stored
    double low, high;
    const char *const *words; // ends with NULL
    // `arg` is NULL if no value was given. Exits the program with argp_error if it is invalid.
    void (*call)(struct argp_state *state, void *input, char *arg);
    int letter;        // 'm' for -m; 0: none
    int flags;         // argp's: OPTION_HIDDEN, OPTION_ALIAS, OPTION_ARG_OPTIONAL
};

// The end of a row: the kind and the member. The compiler rejects a member of another type.
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
    size_t at[2]; // offsets of a const char * each
    const char *too_many; // the error if there is one more
};

// What a command accepts on its command line.
struct lq_cli_spec {
    const struct lq_cli_option *options;
    const struct lq_cli_part *parts; // options that commands share; NULL: none
    const char *args_doc, *doc;      // as in struct argp
    // Words that are not options: stored in order as `words` says, passed one by one to `argument`,
    // or left to `rest`. If none of these is set, such words are rejected.
    struct lq_cli_words words;
    void (*argument)(struct argp_state *state, void *input, char *word);
    void (*rest)(struct argp_state *state, void *input);
    // Called when everything has been read, to check that the options fit together. The checks of
    // parts run first.
    void (*check)(struct argp_state *state, void *input);
};

struct lq_cli_part {
    const struct lq_cli_spec *spec; // NULL: the list ends
    size_t at;                      // offset of the part's input in the command's input
};

// Parses the command line into `input`, the command's own struct. A usage error exits the program
// with LQ_EXIT_USAGE; --help exits it too.
void lq_cli_parse(const struct lq_cli_spec *spec, int argc, char **argv, void *input);

// Returns the index of `text` in `words`, which ends with NULL; exits with an argp usage error if
// it is not there.
int lq_cli_word(struct argp_state *state, const char *option, const char *text,
                const char *const *words);
