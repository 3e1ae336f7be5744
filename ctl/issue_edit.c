/* knsctl issue edit, correct: the whole of an issue as a text, in an editor.
 *
 *   fetch the text --> a file --> the editor --> unchanged? the file goes
 *                                            \-> taken? the file goes; refused, or the editor failed: it stays, and that is said */
#include "ctl/issue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A text on its way through the editor, or out of a file. */
struct editing {
    const char *from, *to; /* paths of the API */
    const char *again;     /* the action that takes the text once more: "edit", "correct 5" */
};

/* ---- taking a text ------------------------------------------------------------------------------------------------------------ */

/* The address behind "- " that a line of a new item begins with; NULL: it is none. */
static const char *new_address(struct kns_call *call, const char *line)
{
    bool bullet =
        strchr("-*+", *line) != NULL && *line != '\0' && (line[1] == ' ' || line[1] == '\t');
    const char *at = bullet ? line + 1 + strspn(line + 1, " \t") : "";

    if (strncmp(at, "http://", 7) != 0 && strncmp(at, "https://", 8) != 0)
        return NULL;
    return kns_arena_copy(call->arena, at, strcspn(at, " \t\r\n"));
}

/* Links that no feed carried are looked at once, before the text is taken, for what their pages say. */
static int look_up_links(struct kns_call *call, const char *text)
{
    bool fenced = false;
    int line = 1;

    for (; *text != '\0'; line++) {
        const char *url = fenced ? NULL : new_address(call, text);
        if (strncmp(text, "```", 3) == 0 || strncmp(text, "~~~", 3) == 0)
            fenced = !fenced;
        if (url != NULL && kns_issue_look_up(call, url) != KNS_EXIT_OK)
            return kns_call_fail(call, KNS_EXIT_FAILED, "line %d: %s cannot be added", line, url);
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return KNS_EXIT_OK;
}

static bool is_blank(const struct kns_buf *text)
{
    const char *at = kns_buf_str(text);

    return at[strspn(at, " \t\r\n")] == '\0';
}

static int send_text(struct kns_call *call, const char *path, const struct kns_buf *text)
{
    const struct kns_request request = {.method = "POST",
                                        .path = path,
                                        .content_type = "text/markdown; charset=utf-8",
                                        .body = kns_buf_str(text),
                                        .body_size = text->len};
    json_t *issue = NULL;

    /* As git does: an empty text gives up. */
    if (is_blank(text))
        return kns_call_fail(call, KNS_EXIT_FAILED,
                             "the text is empty: nothing was changed (a draft is dropped by knsctl "
                             "issue discard)");
    int status = look_up_links(call, kns_buf_str(text));
    if (status == KNS_EXIT_OK)
        status = kns_call_json(call, NULL, &request, &issue);
    return status == KNS_EXIT_OK ? kns_issue_print(call, issue) : status;
}

/* ---- the editor ---------------------------------------------------------------------------------------------------------------- */

static int run_editor(struct kns_call *call, const char *path)
{
    const char *editor = getenv("VISUAL");
    int status = 0;

    if (editor == NULL || *editor == '\0')
        editor = getenv("EDITOR");
    if (editor == NULL || *editor == '\0')
        editor = "vi";
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        /* The shell, so that EDITOR may have options. */
        char *command = NULL;
        if (asprintf(&command, "%s \"$1\"", editor) > 0)
            execl("/bin/sh", "sh", "-c", command, editor, path, (char *)NULL);
        _exit(127);
    }
    pid_t ended = -1;
    do {
        ended = child < 0 ? -1 : waitpid(child, &status, 0);
    } while (ended < 0 && child > 0 && errno == EINTR);
    if (ended != child || child < 0)
        return kns_call_fail(call, KNS_EXIT_FAILED, "cannot run %s: %s", editor, strerror(errno));
    /* The shell tells the end of what it ran by a number over 128. */
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128;
    if (number > 0 && number < 65)
        return kns_call_fail(call, KNS_EXIT_FAILED,
                             "%s was ended by signal %d: nothing was changed", editor, number);
    if (WEXITSTATUS(status) == 127)
        return kns_call_fail(call, KNS_EXIT_FAILED,
                             "%s cannot be run: set EDITOR to an editor, or use knsctl issue show "
                             "--format markdown and issue edit FILE",
                             editor);
    if (WEXITSTATUS(status) != 0)
        return kns_call_fail(call, KNS_EXIT_FAILED, "%s ended with %d: nothing was changed", editor,
                             WEXITSTATUS(status));
    return KNS_EXIT_OK;
}

/* A file of one's own for the editor. */
static int put_text(struct kns_call *call, const struct kns_buf *text, const char **ret_path)
{
    const char *dir = getenv("TMPDIR");
    char *path = kns_arena_printf(call->arena, "%s/kns-issue-XXXXXX.md",
                                  dir == NULL || *dir == '\0' ? "/tmp" : dir);
    int fd = path == NULL ? -1 : mkostemps(path, 3, O_CLOEXEC);
    bool good = fd >= 0 && write(fd, kns_buf_str(text), text->len) == (ssize_t)text->len;

    if (fd >= 0)
        good = close(fd) == 0 && good;
    *ret_path = path;
    return good ? KNS_EXIT_OK
                : kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path == NULL ? "" : path,
                                strerror(errno));
}

static bool is_same(const struct kns_buf *a, const struct kns_buf *b)
{
    return a->len == b->len && memcmp(kns_buf_str(a), kns_buf_str(b), a->len) == 0;
}

/* What the editor left in the file at path, where before stood. */
static int take_file(struct kns_call *call, const struct editing *editing, const char *path,
                     const struct kns_buf *before, int edited)
{
    struct kns_buf text = {0};
    int status = kns_issue_read_file(call, path, &text);
    bool same = status == KNS_EXIT_OK && is_same(&text, before);

    if (status == KNS_EXIT_OK && edited == KNS_EXIT_OK && same)
        puts("Nothing was changed.");
    else if (status == KNS_EXIT_OK && edited == KNS_EXIT_OK)
        status = send_text(call, editing->to, &text);
    if (same || (status == KNS_EXIT_OK && edited == KNS_EXIT_OK))
        unlink(path);
    else if (edited == KNS_EXIT_OK)
        fprintf(stderr, "knsctl: your text is kept in %s; mend it, then: knsctl issue %s %s\n",
                path, editing->again, path);
    else
        fprintf(stderr, "knsctl: what it left is kept in %s; to take it: knsctl issue %s %s\n",
                path, editing->again, path);
    kns_buf_fini(&text);
    return edited == KNS_EXIT_OK ? status : edited;
}

static int edit_in_editor(struct kns_call *call, const struct editing *editing)
{
    const struct kns_request request = {.path = editing->from};
    struct kns_response response;
    const char *path = NULL;
    int status = kns_call_raw(call, NULL, &request, &response);

    if (status != KNS_EXIT_OK)
        return status;
    status = put_text(call, &response.body, &path);
    if (status == KNS_EXIT_OK)
        status = take_file(call, editing, path, &response.body, run_editor(call, path));
    kns_buf_fini(&response.body);
    return status;
}

static int edit_text(struct kns_call *call, const struct editing *editing, const char *file)
{
    struct kns_buf text = {0};

    if (file == NULL)
        return edit_in_editor(call, editing);
    int status = kns_issue_read_file(call, file, &text);
    if (status != KNS_EXIT_OK)
        return status;
    status = send_text(call, editing->to, &text);
    kns_buf_fini(&text);
    return status;
}

/* ---- the actions ------------------------------------------------------------------------------------------------------------------ */

int kns_cmd_issue_edit(struct kns_call *call)
{
    const struct editing editing = {
        .from = kns_issue_path_of(call, "/v1/issues/draft", "format=markdown"),
        .to = kns_issue_path_of(call, "/v1/issues/draft/text", ""),
        .again = "edit"};

    return edit_text(call, &editing, kns_issue_operand(call, 0));
}

int kns_cmd_issue_correct(struct kns_call *call)
{
    const char *path = kns_issue_path(call, kns_issue_operand(call, 0));

    if (path == NULL || strcmp(path, "/v1/issues/draft") == 0)
        return path == NULL
                   ? KNS_EXIT_USAGE
                   : kns_call_fail(call, KNS_EXIT_USAGE, "the draft is changed with issue edit");
    const struct editing editing = {
        .from = kns_issue_path_of(call, path, "format=markdown"),
        .to = kns_issue_path_of(call, kns_arena_printf(call->arena, "%s/text", path), ""),
        .again = kns_arena_printf(call->arena, "correct %s", kns_issue_operand(call, 0))};
    return edit_text(call, &editing, kns_issue_operand(call, 1));
}
