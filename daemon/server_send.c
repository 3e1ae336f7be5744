/* Requests to mail an issue.
 *
 *   write (who is to get it?) --> read (the mail server) --> write (who has not got it) --> answer */
#include "daemon/server_internal.h"

#include <stddef.h>

static struct exchange *of_read(struct kns_read *read)
{
    return (struct exchange *)((char *)read - offsetof(struct exchange, read));
}

static struct exchange *of_write(struct kns_write *write)
{
    return (struct exchange *)((char *)write - offsetof(struct exchange, write));
}

static enum kns_status run_end(struct kns_write *write, struct kns_store *store,
                               struct kns_error *err)
{
    struct exchange *x = of_write(write);

    return kns_end_sending(&x->request, store, x->job, err);
}

static void on_ended(struct kns_write *write)
{
    struct exchange *x = of_write(write);

    if (write->status != KNS_OK)
        kns_request_fail(&x->request, &write->err);
    kns_exchange_done(x);
}

static enum kns_status run_send(struct kns_read *read, struct kns_store *store,
                                struct kns_error *err)
{
    struct exchange *x = of_read(read);

    return kns_do_send(&x->request, store, x->job, err);
}

static void on_sent(struct kns_read *read)
{
    struct exchange *x = of_read(read);

    x->write.run = run_end;
    x->write.done = on_ended;
    kns_writer_submit(x->server->parts.writer, &x->write);
}

static enum kns_status run_begin(struct kns_write *write, struct kns_store *store,
                                 struct kns_error *err)
{
    struct exchange *x = of_write(write);
    struct kns_sending *sending = NULL;
    enum kns_status status = kns_begin_sending(&x->request, store, &sending, err);

    x->job = sending;
    return status;
}

static void on_begun(struct kns_write *write)
{
    struct exchange *x = of_write(write);

    if (write->status != KNS_OK) {
        kns_request_fail(&x->request, &write->err);
        kns_exchange_done(x);
        return;
    }
    x->read.run = run_send;
    x->read.done = on_sent;
    kns_readers_submit(x->server->parts.readers, &x->read);
}

enum MHD_Result kns_serve_send(struct exchange *x)
{
    x->write.run = run_begin;
    x->write.done = on_begun;
    kns_exchange_begin(x);
    kns_writer_submit(x->server->parts.writer, &x->write);
    return MHD_YES;
}
