/* What hubs send. A body is checked and parsed piece by piece as it comes, so that none is kept, and none holds up the loop; what it says is
 * only believed, and stored, when its signature is right. What is dropped is still answered as received (WebSub 7.1). */
#include "daemon/websub_internal.h"

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/signature.h"
#include "daemon/writer.h"
#include "lib/arena.h"
#include "lib/parse.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bodies being received: each holds a parser. */
#define MAX_DELIVERIES 32

struct kns_delivery {
    struct sub *sub;
    struct kns_signature *signature;
    struct kns_parser *parser;
    struct kns_error parse_error;
    struct kns_document *document;
    struct kns_time started;
    uint64_t started_ms;
    int64_t bytes, most;
    struct kns_write write;
    struct kns_push record;
    struct kns_poll_result result;
    kns_websub_answer answer;
    void *ctx;
};

const char *kns_delivery_result_name(enum kns_delivery_result result)
{
    static const char *const names[] = {"stored",         "bad-signature", "no-signature",
                                        "weak-signature", "too-large",     "not-a-feed",
                                        "failed"};

    return (size_t)result < sizeof(names) / sizeof(names[0]) ? names[result] : "";
}

/* Counted, and told once for each subscription: a hub may send the same again and again. */
static void complain(struct sub *sub, enum kns_delivery_result result)
{
    sub->websub->figures.deliveries[result]++;
    kns_log(sub->complained ? KNS_LOG_DEBUG : KNS_LOG_WARNING,
            "websub: feed %lld: what hub %s pushed is not stored: %s", (long long)sub->feed_id,
            sub->hub, kns_delivery_result_name(result));
    sub->complained = true;
}

static void end(struct kns_delivery *d)
{
    d->sub->websub->deliveries--;
    kns_sub_unref(d->sub);
    kns_signature_free(d->signature);
    kns_parser_free(d->parser);
    kns_document_free(d->document);
    free(d);
}

/* ---- beginning ------------------------------------------------------------------------------------------------------ */

/* The status of what may not begin; 0: it may. */
static int refuse(struct kns_websub *websub, struct sub *sub,
                  const struct kns_delivery_header *header)
{
    int64_t most = websub->parts.config->poll.max_size_bytes;

    if (sub == NULL || sub->state == KNS_WEBSUB_WANTED)
        return 404;
    if (sub->state != KNS_WEBSUB_ALIVE)
        return 410;
    if (header->content_encoding != NULL && strcasecmp(header->content_encoding, "identity") != 0)
        return 415;
    if (header->content_length != NULL && strtoll(header->content_length, NULL, 10) > most) {
        complain(sub, KNS_DELIVERY_TOO_LARGE);
        return 413;
    }
    if (websub->stopping || websub->deliveries >= MAX_DELIVERIES ||
        kns_writer_is_behind(websub->parts.writer))
        return 503;
    return 0;
}

int kns_websub_deliver(struct kns_websub *websub, const char *token,
                       const struct kns_delivery_header *header, struct kns_delivery **ret_delivery)
{
    struct sub *sub = kns_websub_find(websub, token);
    int status = refuse(websub, sub, header);
    struct kns_delivery *d = status == 0 ? calloc(1, sizeof(*d)) : NULL;

    if (d == NULL)
        return status == 0 ? 503 : status;
    d->most = websub->parts.config->poll.max_size_bytes;
    const struct kns_parse_options options = {
        .content_type = header->content_type,
        .base_url = sub->topic,
        .max_bytes = (size_t)d->most,
    };
    d->signature = kns_signature_new(header->signature, sub->secret);
    d->parser = kns_parser_new(&options);
    d->sub = sub;
    d->started = kns_time_now();
    d->started_ms = uv_now(websub->parts.loop);
    kns_sub_ref(sub);
    websub->deliveries++;
    if (d->signature == NULL || d->parser == NULL) {
        end(d);
        return 503;
    }
    *ret_delivery = d;
    return 0;
}

void kns_delivery_add(struct kns_delivery *d, const char *bytes, size_t size)
{
    d->bytes += (int64_t)size;
    if (d->bytes > d->most)
        return;
    kns_signature_add(d->signature, bytes, size);
    if (d->parse_error.status == KNS_OK)
        kns_parser_write(d->parser, bytes, size, &d->parse_error);
}

void kns_delivery_drop(struct kns_delivery *d)
{
    d->sub->websub->figures.deliveries[KNS_DELIVERY_FAILED]++;
    end(d);
}

/* ---- the end of a body -------------------------------------------------------------------------------------------- */

static enum kns_status write_push(struct kns_write *write, struct kns_store *store,
                                  struct kns_error *err)
{
    struct kns_delivery *d =
        (struct kns_delivery *)((char *)write - offsetof(struct kns_delivery, write));

    return kns_store_record_push(store, &d->record, &d->result, err);
}

static void push_written(struct kns_write *write)
{
    struct kns_delivery *d =
        (struct kns_delivery *)((char *)write - offsetof(struct kns_delivery, write));
    struct kns_websub_figures *figures = &d->sub->websub->figures;
    bool good = write->status == KNS_OK;

    figures->deliveries[good ? KNS_DELIVERY_STORED : KNS_DELIVERY_FAILED]++;
    figures->items_new += d->result.new_items;
    kns_log(good ? KNS_LOG_DEBUG : KNS_LOG_ERROR, "websub: feed %lld: pushed: %s",
            (long long)d->record.feed_id, good ? "stored" : write->err.message);
    d->answer(d->ctx, good ? 200 : write->status == KNS_ENOTFOUND ? 410 : 503, "");
    end(d);
}

static void store(struct kns_delivery *d)
{
    d->record = (struct kns_push){
        .feed_id = d->sub->feed_id,
        .at = d->started,
        .duration_ms = (int64_t)(uv_now(d->sub->websub->parts.loop) - d->started_ms),
        .bytes = d->bytes,
        .document = d->document,
    };
    d->write.run = write_push;
    d->write.done = push_written;
    d->write.bytes = kns_arena_used(d->document->arena);
    kns_writer_submit(d->sub->websub->parts.writer, &d->write);
}

/* What is wrong with it; STORED: nothing. */
static enum kns_delivery_result judge(struct kns_delivery *d)
{
    static const enum kns_delivery_result by_signature[] = {
        [KNS_SIGNATURE_GOOD] = KNS_DELIVERY_STORED,
        [KNS_SIGNATURE_MISSING] = KNS_DELIVERY_NO_SIGNATURE,
        [KNS_SIGNATURE_WEAK] = KNS_DELIVERY_WEAK_SIGNATURE,
        [KNS_SIGNATURE_BAD] = KNS_DELIVERY_BAD_SIGNATURE,
    };

    if (d->bytes > d->most)
        return KNS_DELIVERY_TOO_LARGE;
    enum kns_delivery_result result = by_signature[kns_signature_check(d->signature)];
    if (result != KNS_DELIVERY_STORED)
        return result;
    if (d->parse_error.status == KNS_OK)
        kns_parser_finish(d->parser, false, &d->document, &d->parse_error);
    return d->parse_error.status == KNS_ELIMIT   ? KNS_DELIVERY_TOO_LARGE
           : d->parse_error.status == KNS_ENOMEM ? KNS_DELIVERY_FAILED
           : d->document == NULL                 ? KNS_DELIVERY_NOT_A_FEED
                                                 : KNS_DELIVERY_STORED;
}

int kns_delivery_end(struct kns_delivery *d, kns_websub_answer answer, void *ctx)
{
    /* Unsubscribed in the middle, or the lease ended: what was begun then is not ours any more. */
    bool ours = !d->sub->dropped && d->sub->state == KNS_WEBSUB_ALIVE;
    enum kns_delivery_result result = ours ? judge(d) : KNS_DELIVERY_FAILED;

    if (ours && result == KNS_DELIVERY_STORED) {
        d->answer = answer;
        d->ctx = ctx;
        store(d);
        return 0;
    }
    if (ours)
        complain(d->sub, result);
    end(d);
    return !ours                              ? 410
           : result == KNS_DELIVERY_TOO_LARGE ? 413
           : result == KNS_DELIVERY_FAILED    ? 503
                                              : 202;
}
