/* The store on a disk that fails: at every write, sync and truncation of a scripted run, for both kinds of failure, something
 * is refused, nothing acknowledged is lost, nothing is repeated, and the same connection goes on when the disk does. And on one
 * that is full, as disks are: files cannot grow, what is there can be overwritten, a write may come to its end half way. */
#include "lib/parse.h"
#include "lib/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static const struct kns_time now = {1700000000};

/* ---- the failing disk --------------------------------------------------------------------------------------------- */

static struct {
    sqlite3_vfs *base;
    long until;  /* changes to the disk that still succeed */
    int failure; /* what the next ones give; SQLITE_OK: the disk is sound */
    bool hit;
    long long room; /* bytes by which files may still grow; below 0: any number */
} disk;

struct faulty_file {
    sqlite3_file file; /* first: SQLite's view of us */
    sqlite3_file *real;
};

static sqlite3_file *real(sqlite3_file *file)
{
    return ((struct faulty_file *)file)->real;
}

/* Counts a change to the disk; from the chosen one on, all fail until the disk is mended. */
static int change(void)
{
    if (disk.failure == SQLITE_OK || disk.until-- > 0)
        return SQLITE_OK;
    disk.hit = true;
    return disk.failure;
}

static int x_close(sqlite3_file *f)
{
    return real(f)->pMethods->xClose(real(f));
}

static int x_read(sqlite3_file *f, void *to, int size, sqlite3_int64 at)
{
    return real(f)->pMethods->xRead(real(f), to, size, at);
}

/* How much of a write finds room; what is overwritten needs none. */
static int room_for(sqlite3_file *f, int size, sqlite3_int64 at)
{
    sqlite3_int64 end = 0;

    if (disk.room < 0 || real(f)->pMethods->xFileSize(real(f), &end) != SQLITE_OK ||
        at + size <= end)
        return size;
    long long grows = at + size - (at > end ? at : end);
    if (grows > disk.room) {
        size -= (int)(grows - disk.room);
        grows = disk.room;
    }
    disk.room -= grows;
    return size;
}

static int x_write(sqlite3_file *f, const void *from, int size, sqlite3_int64 at)
{
    int rc = change(), fits = rc == SQLITE_OK ? room_for(f, size, at) : size;

    if (fits < size) {
        disk.hit = true;
        rc = fits > 0 ? real(f)->pMethods->xWrite(real(f), from, fits, at) : SQLITE_OK;
        return rc == SQLITE_OK ? SQLITE_FULL : rc;
    }
    return rc == SQLITE_OK ? real(f)->pMethods->xWrite(real(f), from, size, at) : rc;
}

static int x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = change();

    return rc == SQLITE_OK ? real(f)->pMethods->xTruncate(real(f), size) : rc;
}

/* A sync that succeeds has nothing to do: no power is lost here, and hundreds of runs would wait for it. */
static int x_sync(sqlite3_file *f, int flags)
{
    (void)f;
    (void)flags;
    return change();
}

static int x_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return real(f)->pMethods->xFileSize(real(f), ret);
}

static int x_lock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xLock(real(f), level);
}

static int x_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}

static int x_reserved(sqlite3_file *f, int *ret)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), ret);
}

static int x_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int x_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}

static int x_device(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int x_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, ret);
}

static int x_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}

static void x_shm_barrier(sqlite3_file *f)
{
    real(f)->pMethods->xShmBarrier(real(f));
}

static int x_shm_unmap(sqlite3_file *f, int drop)
{
    return real(f)->pMethods->xShmUnmap(real(f), drop);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_reserved,
    .xFileControl = x_control,
    .xSectorSize = x_sector,
    .xDeviceCharacteristics = x_device,
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
};

static int x_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                  int *ret_flags)
{
    struct faulty_file *f = (struct faulty_file *)file;
    (void)vfs;

    f->real = (sqlite3_file *)(f + 1);
    int rc = disk.base->xOpen(disk.base, name, f->real, flags, ret_flags);
    f->file.pMethods = f->real->pMethods == NULL ? NULL : &methods;
    return rc;
}

static void install_disk(void)
{
    static sqlite3_vfs vfs;

    disk.base = sqlite3_vfs_find(NULL);
    vfs = *disk.base;
    vfs.zName = "faulty";
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct faulty_file) + disk.base->szOsFile;
    vfs.xOpen = x_open;
    assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

/* ---- the script --------------------------------------------------------------------------------------------------- */

struct run {
    char dir[64], path[96];
    struct kns_store *store;
    int64_t feed;
};

static enum kns_status step_open(struct run *r)
{
    return kns_store_open(r->path, KNS_STORE_WRITER, KNS_STORE_SYNC_FULL, &r->store, NULL);
}

static enum kns_status step_subscribe(struct run *r)
{
    const struct kns_feed_edit edit = {.url = "http://a.example/feed"};

    return kns_store_add_feed(r->store, &edit, now, now, &r->feed, NULL);
}

/* One document with five entries of some length, so that pages split and the index is written. */
static enum kns_status poll(struct run *r, int round)
{
    struct kns_document *document = NULL;
    struct kns_poll_result result = {0};
    static char rss[40000];
    size_t at = (size_t)snprintf(rss, sizeof(rss), "<rss version='2.0'><channel><title>T</title>");

    for (int i = 0; i < 5; i++)
        at += (size_t)snprintf(rss + at, sizeof(rss) - at,
                               "<item><title>解法 %d-%d</title><link>http://s/%d/%d</link>"
                               "<description>%01500d</description></item>",
                               round, i, round, i, i);
    snprintf(rss + at, sizeof(rss) - at, "</channel></rss>");
    assert_int_equal(kns_parse(NULL, rss, strlen(rss), &document, NULL), KNS_OK);
    const struct kns_poll poll = {.feed_id = r->feed,
                                  .started_at = {now.unix_s + round},
                                  .outcome = KNS_POLL_NEW_DOCUMENT,
                                  .http_status = 200,
                                  .health = KNS_HEALTH_OK,
                                  .schedule = {.next_poll_at = now, .etag = "\"v\""},
                                  .document = document};
    enum kns_status status = kns_store_record_poll(r->store, &poll, &result, NULL);
    kns_document_free(document);
    return status;
}

static enum kns_status step_poll(struct run *r)
{
    return poll(r, 1);
}

static enum kns_status step_group(struct run *r)
{
    enum kns_status status = kns_store_begin(r->store, NULL);

    for (int round = 2; round < 5 && status == KNS_OK; round++)
        status = poll(r, round);
    if (status == KNS_OK)
        return kns_store_commit(r->store, NULL);
    kns_store_rollback(r->store);
    return status;
}

static enum kns_status step_edit(struct run *r)
{
    const struct kns_item_edit edit = {.set_starred = true, .starred = true, .note = "良い"};

    return kns_store_edit_item(r->store, 1, &edit, now, NULL);
}

static enum kns_status step_expire(struct run *r)
{
    bool more;

    return kns_store_expire(r->store, 0, 15, (struct kns_time){now.unix_s + 9}, 100, &more, NULL);
}

static enum kns_status (*const script[])(struct run *) = {step_open,  step_subscribe, step_poll,
                                                          step_group, step_edit,      step_expire};

/* Every step is retried once on a mended disk when the broken one refused it. */
static void play(struct run *r, int failure)
{
    for (size_t i = 0; i < sizeof(script) / sizeof(script[0]); i++) {
        enum kns_status status = script[i](r);
        if (status == KNS_OK)
            continue;
        assert_true(disk.hit);
        assert_int_equal(status, failure == SQLITE_IOERR_WRITE ? KNS_EIO : KNS_EFULL);
        disk.failure = SQLITE_OK;
        disk.room = -1;
        status = script[i](r);
        /* What was refused may have been done all the same; said twice, it must not be done twice. */
        if (status != KNS_OK && !(script[i] == step_subscribe && status == KNS_EEXIST))
            fail_msg("step %zu stays broken: %s", i, kns_status_name(status));
    }
    disk.failure = SQLITE_OK;
    disk.room = -1;
}

static void on_problem(void *ctx, const char *problem)
{
    (void)ctx;
    print_error("%s\n", problem);
}

static bool count_item(void *ctx, const struct kns_item *item)
{
    (void)item;
    ++*(int *)ctx;
    return true;
}

static void look(struct run *r)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_store_figures figures = {0};
    const char *cursor;
    int n = 0, noted = 0;

    assert_int_equal(kns_store_check(r->store, on_problem, NULL, NULL), KNS_OK);
    /* 20 items came, one is starred and stays, of the others the newest 15 do. */
    assert_int_equal(kns_store_get_figures(r->store, &figures, NULL), KNS_OK);
    assert_int_equal(figures.items, 16);
    assert_int_equal(figures.items_starred, 1);
    /* What went does not come back. */
    assert_int_equal(poll(r, 1), KNS_OK);
    assert_int_equal(kns_store_query_items(r->store, arena,
                                           &(struct kns_item_query){.limit = 100, .q = "解法"},
                                           count_item, &n, &cursor, NULL),
                     KNS_OK);
    assert_int_equal(n, 16);
    assert_int_equal(kns_store_query_items(r->store, arena, &(struct kns_item_query){.q = "良い"},
                                           count_item, &noted, &cursor, NULL),
                     KNS_OK);
    assert_int_equal(noted, 1);
    kns_arena_free(arena);
}

/* With room 0 or more, the disk is full after so many bytes; else `until` changes succeed. */
static bool survive(int failure, long until, long long room)
{
    struct run r = {
        .dir = "/dev/shm/kns-faults-XXXXXX"}; /* no disk is waited for but the one that fails */
    static const char *const names[] = {"kns.db", "kns.db-wal", "kns.db-shm", "kns.db.lock",
                                        "kns.db-journal"};
    char name[200];

    if (mkdtemp(r.dir) == NULL) {
        strcpy(r.dir, "/tmp/kns-faults-XXXXXX");
        assert_non_null(mkdtemp(r.dir));
    }
    snprintf(r.path, sizeof(r.path), "%s/kns.db", r.dir);
    disk.until = until;
    disk.failure = failure;
    disk.hit = false;
    disk.room = room;
    play(&r, failure);
    look(&r);
    kns_store_close(r.store);
    assert_int_equal(step_open(&r), KNS_OK);
    look(&r);
    kns_store_close(r.store);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(name, sizeof(name), "%s/%s", r.dir, names[i]);
        unlink(name);
    }
    assert_int_equal(rmdir(r.dir), 0);
    return disk.hit;
}

/* KNS_FAULTS=every takes each write of the script; a few at a time are enough to see a mistake soon. */
static int stride(void)
{
    const char *wanted = getenv("KNS_FAULTS");

    return wanted != NULL && strcmp(wanted, "every") == 0 ? 1 : 5;
}

static void survive_all(int failure)
{
    long n = 0, step = stride();

    while (survive(failure, n, -1))
        n += step;
    print_message("%ld places, one in %ld where the disk failed\n", n, step);
    assert_true(n > 50);
}

static void a_full_disk_at_any_write_loses_and_repeats_nothing(void **state)
{
    (void)state;
    survive_all(SQLITE_FULL);
}

static void a_failing_disk_at_any_write_loses_and_repeats_nothing(void **state)
{
    (void)state;
    survive_all(SQLITE_IOERR_WRITE);
}

/* Steps that are no multiple of pages or sectors, so that writes end half way too. */
static void a_disk_that_is_full_after_any_number_of_bytes_loses_and_repeats_nothing(void **state)
{
    long long room = 0;
    int n = 0;
    (void)state;

    for (; survive(SQLITE_OK, 0, room); room += 3001 * stride())
        n++;
    print_message("%d sizes of a full disk\n", n);
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_at_any_write_loses_and_repeats_nothing),
        cmocka_unit_test(a_disk_that_is_full_after_any_number_of_bytes_loses_and_repeats_nothing),
        cmocka_unit_test(a_failing_disk_at_any_write_loses_and_repeats_nothing),
    };

    install_disk();
    return cmocka_run_group_tests_name("store on a failing disk", tests, NULL, NULL);
}
