/* Completion scripts for shells, made from the table of verbs: what the parser knows is what is offered. */
#include "ctl/completion.h"

#include <string.h>

/* Who prints for one shell. */
typedef void print_fn(FILE *out, const struct kns_verb *verbs, const struct kns_option *common);

/* What a list of ids is asked from; said where no daemon answers: nothing. */
#define FEED_IDS "knsctl feeds 2>/dev/null | cut -f1"

/* Text inside single quotes, with the characters of special put behind a backslash (zsh's specifications). */
static void print_quoted(FILE *out, const char *text, const char *special)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr(special, *text) != NULL)
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

/* The words of "a|b|c" with spaces between. */
static void print_words(FILE *out, const char *choices)
{
    for (; *choices != '\0'; choices++)
        fputc(*choices == '|' ? ' ' : *choices, out);
}

/* The words that the first operand is one of: a verb's actions, or the "read|unread" of "read|unread ITEM…". *ret_size: how many bytes;
 * 0: it is not of some words. */
static const char *first_words(const struct kns_verb *verb, size_t *ret_size)
{
    const char *words = verb->actions != NULL ? verb->actions : verb->operands;
    size_t size = strcspn(words, " ");

    *ret_size = strspn(words, "abcdefghijklmnopqrstuvwxyz|") == size ? size : 0;
    return words;
}

/* They, with spaces between; false: there are none. */
static bool print_first_words(FILE *out, const struct kns_verb *verb, const char *before,
                              const char *after)
{
    size_t size;
    const char *words = first_words(verb, &size);

    if (size == 0)
        return false;
    fputs(before, out);
    for (size_t i = 0; i < size; i++)
        fputc(words[i] == '|' ? ' ' : words[i], out);
    fputs(after, out);
    return true;
}

static bool has_value(const struct kns_option *option)
{
    return option->kind != KNS_OPTION_FLAG;
}

/* ---- bash ----------------------------------------------------------------------------------------- */

static void bash_option_names(FILE *out, const struct kns_option *table)
{
    for (; table != NULL && table->name != NULL; table++)
        fprintf(out, " --%s", table->name);
}

/* One line for each option with a value: what may stand behind it. */
static void bash_values(FILE *out, const char *verb, const struct kns_option *table)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (!has_value(table))
            continue;
        fprintf(out, "    %s:--%s", verb, table->name);
        if (table->letter != 0)
            fprintf(out, " | %s:-%c", verb, table->letter);
        fputs(") ", out);
        if (table->kind == KNS_OPTION_CHOICE) {
            fputs("words='", out);
            print_words(out, table->value);
            fputs("'", out);
        } else if (table->kind == KNS_OPTION_FILE) {
            fputs("files=1", out);
        } else if (strcmp(table->name, "feed") == 0) {
            fputs("words=$(" FEED_IDS ")", out);
        } else {
            fputs(":", out);
        }
        fputs(" ;;\n", out);
    }
}

static void bash_operands(FILE *out, const struct kns_verb *verb)
{
    if (print_first_words(out, verb, " ", ""))
        return;
    if (verb->operand_kind == KNS_OPERAND_FEED)
        fputs(" '$(" FEED_IDS ")'", out);
    else if (verb->operand_kind == KNS_OPERAND_VERB)
        fputs(" '$verbs'", out);
}

static void print_bash(FILE *out, const struct kns_verb *verbs, const struct kns_option *common)
{
    const struct kns_verb *verb;

    fputs("# bash completion for knsctl(1); made by `knsctl completion bash`\n"
          "_knsctl() {\n"
          "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb='' i\n"
          "  local words='' options='' files='' verbs='",
          out);
    for (verb = verbs; verb->name != NULL; verb++)
        fprintf(out, "%s%s", verb == verbs ? "" : " ", verb->name);
    fputs("'\n"
          "  # --option=value comes as three words\n"
          "  if [[ $cur == = ]]; then\n"
          "    cur=''\n"
          "  elif [[ $prev == = ]]; then\n"
          "    prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "  fi\n"
          "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "    case ${COMP_WORDS[i]} in\n"
          "    --socket | --color)\n"
          "      ((i++))\n"
          "      [[ ${COMP_WORDS[i]} != = ]] || ((i++))\n"
          "      ;;\n"
          "    -*) ;;\n"
          "    *) verb=${COMP_WORDS[i]}; break ;;\n"
          "    esac\n"
          "  done\n"
          "  case $verb:$prev in\n",
          out);
    for (verb = verbs; verb->name != NULL; verb++)
        bash_values(out, verb->name, verb->options);
    bash_values(out, "*", common);
    fputs("    *)\n      case $verb in\n      '') words=$verbs options='", out);
    bash_option_names(out, common);
    fputs("' ;;\n", out);
    for (verb = verbs; verb->name != NULL; verb++) {
        fprintf(out, "      %s) ", verb->name);
        if (verb->operand_kind == KNS_OPERAND_FILE)
            fputs("files=1 ", out);
        fputs("options='", out);
        bash_option_names(out, verb->options);
        bash_option_names(out, common);
        fputs("' words='", out);
        bash_operands(out, verb);
        fputs("' ;;\n", out);
    }
    fputs("      esac\n      ;;\n"
          "  esac\n"
          "  [[ $cur == -* || -z $words$files ]] && words=$options\n"
          "  [[ -z $files ]] || compopt -o filenames 2>/dev/null\n"
          "  mapfile -t COMPREPLY < <(compgen -W \"$words\" ${files:+-f} -- \"$cur\")\n"
          "}\n"
          "complete -F _knsctl knsctl\n",
          out);
}

/* ---- zsh ------------------------------------------------------------------------------------------ */

static void zsh_action(FILE *out, enum kns_option_kind kind, const char *value, bool feed)
{
    if (kind == KNS_OPTION_CHOICE) {
        fputs("(", out);
        print_words(out, value);
        fputs(")", out);
    } else if (kind == KNS_OPTION_FILE) {
        fputs("_files", out);
    } else if (feed) {
        fputs("_knsctl_feeds", out);
    }
}

static void zsh_options(FILE *out, const struct kns_option *table)
{
    for (; table != NULL && table->name != NULL; table++) {
        for (int form = 0; form < 2; form++) {
            if (form == 1 && table->letter == 0)
                continue;
            fprintf(out, " \\\n      '%s", table->repeats ? "*" : "");
            if (form == 0)
                fprintf(out, "--%s%s[", table->name, has_value(table) ? "=" : "");
            else
                fprintf(out, "-%c%s[", table->letter, has_value(table) ? "+" : "");
            print_quoted(out, table->help, "[]:");
            fputs("]", out);
            if (has_value(table)) {
                fprintf(out, ":%s:", table->name);
                zsh_action(out, table->kind, table->value, strcmp(table->name, "feed") == 0);
            }
            fputs("'", out);
        }
    }
}

static void zsh_operands(FILE *out, const struct kns_verb *verb)
{
    static const char *const actions[] = {[KNS_OPERAND_NONE] = NULL,
                                          [KNS_OPERAND_FEED] = "_knsctl_feeds",
                                          [KNS_OPERAND_ITEM] = "",
                                          [KNS_OPERAND_URL] = "_urls",
                                          [KNS_OPERAND_FILE] = "_files",
                                          [KNS_OPERAND_TEXT] = "",
                                          [KNS_OPERAND_VERB] = "_knsctl_verbs"};

    print_first_words(out, verb, " \\\n      '1:what:(", ")'");
    if (actions[verb->operand_kind] != NULL)
        fprintf(out, " \\\n      '*:argument:%s'", actions[verb->operand_kind]);
}

static void print_zsh(FILE *out, const struct kns_verb *verbs, const struct kns_option *common)
{
    const struct kns_verb *verb;

    fputs("#compdef knsctl\n"
          "# made by `knsctl completion zsh`\n"
          "_knsctl_feeds() {\n"
          "  local -a feeds\n"
          "  feeds=(${(f)\"$(" FEED_IDS ")\"})\n"
          "  compadd -a feeds\n"
          "}\n"
          "_knsctl_verbs() {\n"
          "  local -a verbs\n"
          "  verbs=(\n",
          out);
    for (verb = verbs; verb->name != NULL; verb++) {
        fprintf(out, "    '%s:", verb->name);
        print_quoted(out, verb->summary, "");
        fputs("'\n", out);
    }
    fputs(
        "  )\n  _describe verb verbs\n}\n_knsctl() {\n  local context state line\n  _arguments -C",
        out);
    zsh_options(out, common);
    fputs(" \\\n      '1:verb:_knsctl_verbs' '*::argument:->rest'\n"
          "  [[ $state = rest ]] || return 0\n"
          "  case $line[1] in\n",
          out);
    for (verb = verbs; verb->name != NULL; verb++) {
        fprintf(out, "  %s) _arguments", verb->name);
        zsh_options(out, verb->options);
        zsh_options(out, common);
        zsh_operands(out, verb);
        fputs(" ;;\n", out);
    }
    fputs("  esac\n}\n_knsctl \"$@\"\n", out);
}

/* ---- fish ----------------------------------------------------------------------------------------- */

static void fish_options(FILE *out, const char *condition, const char *verb,
                         const struct kns_option *table)
{
    for (; table != NULL && table->name != NULL; table++) {
        fprintf(out, "complete -c knsctl%s%s%s", condition, verb, *condition == '\0' ? "" : "'");
        fprintf(out, " -l %s", table->name);
        if (table->letter != 0)
            fprintf(out, " -s %c", table->letter);
        if (table->kind == KNS_OPTION_FILE)
            fputs(" -r -F", out);
        else if (has_value(table))
            fputs(" -x", out);
        if (table->kind == KNS_OPTION_CHOICE) {
            fputs(" -a '", out);
            print_words(out, table->value);
            fputs("'", out);
        } else if (has_value(table) && strcmp(table->name, "feed") == 0) {
            fputs(" -a '(" FEED_IDS ")'", out);
        }
        fputs(" -d '", out);
        print_quoted(out, table->help, "");
        fputs("'\n", out);
    }
}

static void fish_operands(FILE *out, const struct kns_verb *verb)
{
    fprintf(out, "complete -c knsctl -n '__fish_seen_subcommand_from %s'", verb->name);
    if (print_first_words(out, verb, " -f -a '", "'\n"))
        return;
    if (verb->operand_kind == KNS_OPERAND_FEED) {
        fputs(" -f -a '(" FEED_IDS ")'\n", out);
    } else if (verb->operand_kind == KNS_OPERAND_VERB) {
        fputs(" -f -a '(knsctl completion verbs)'\n", out);
    } else {
        fputs(verb->operand_kind == KNS_OPERAND_FILE ? " -F\n" : " -f\n", out);
    }
}

static void print_fish(FILE *out, const struct kns_verb *verbs, const struct kns_option *common)
{
    fputs("# fish completion for knsctl(1); made by `knsctl completion fish`\n"
          "complete -c knsctl -n __fish_use_subcommand -f\n",
          out);
    fish_options(out, "", "", common);
    for (const struct kns_verb *verb = verbs; verb->name != NULL; verb++) {
        fprintf(out, "complete -c knsctl -n __fish_use_subcommand -a %s -d '", verb->name);
        print_quoted(out, verb->summary, "");
        fputs("'\n", out);
        fish_options(out, " -n '__fish_seen_subcommand_from ", verb->name, verb->options);
        fish_operands(out, verb);
    }
}

static void print_verbs(FILE *out, const struct kns_verb *verbs, const struct kns_option *common)
{
    (void)common;
    for (; verbs->name != NULL; verbs++)
        fprintf(out, "%s\n", verbs->name);
}

/* ---- the door ------------------------------------------------------------------------------------- */

bool kns_completion_print(FILE *out, const char *shell, const struct kns_verb *verbs,
                          const struct kns_option *common)
{
    static const struct {
        const char *shell;
        print_fn *print;
    } shells[] = {
        {"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}, {"verbs", print_verbs}};

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shells[i].shell, shell) != 0)
            continue;
        shells[i].print(out, verbs, common);
        return true;
    }
    return false;
}
