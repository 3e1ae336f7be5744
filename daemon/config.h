/* config.h - kns.conf: one table of keys that reads, checks, prints and documents them.
 * A deciding file: no loop, no transfers. */
#ifndef KNSD_CONFIG_H
#define KNSD_CONFIG_H

#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum kns_private_networks { KNS_PRIVATE_NEVER, KNS_PRIVATE_DIRECT, KNS_PRIVATE_ALWAYS };

/* A [newsletter NAME] section: a newsletter of one's own. */
struct kns_config_newsletter {
    char *name, *title, *issue_title, *base_url, *language, *author, *email, *sections,
        *link_parameters;
    int64_t first_number;
};

#define KNS_CONFIG_NEWSLETTERS_MOST 32

enum kns_mail_tls { KNS_MAIL_TLS_REQUIRED, KNS_MAIL_TLS_TRY, KNS_MAIL_TLS_NEVER };

/* All strings owned by the configuration; "" means not set. */
struct kns_config {
    struct {
        char *socket;
        unsigned socket_mode;
        char *state_dir;
        int log_level; /* syslog's: 3 error … 7 debug */
    } daemon;
    struct {
        int64_t interval_s, min_interval_s, max_interval_s;
        int64_t concurrency, per_host;
        int64_t timeout_s;
        int64_t max_size_bytes;
        char *user_agent, *proxy;
        enum kns_private_networks private_networks;
        int file_sources, exec_sources; /* yes or no */
    } poll;
    struct {
        int64_t keep_days, keep_items_per_feed;
        int synchronous; /* enum kns_store_sync */
    } store;
    struct {
        char *on_item; /* a command: kns_command_split */
        int64_t timeout_s, concurrency;
    } hooks;
    struct {
        char *callback_url, *listen; /* where hubs reach us; "": off, nowhere */
    } websub;
    struct {
        char *title, *base_url, *language, *template_dir;
    } digest;
    struct {
        char *server, *user, *password_file, *from, *ca_file;
        int tls; /* enum kns_mail_tls */
    } mail;
    struct kns_config_newsletter *newsletters; /* in the file's order */
    size_t n_newsletters;
};

/* Every key at its default; as_service: paths of the system service, else the user's (XDG). NULL: no memory. */
struct kns_config *kns_config_new(bool as_service);
void kns_config_free(struct kns_config *config);

/* Reads file on top of what config holds. The error names file, line and what was expected. */
enum kns_status kns_config_read(struct kns_config *config, const char *file, struct kns_error *err);

/* Sets "section.key" from text, as a line of the file would. */
enum kns_status kns_config_set(struct kns_config *config, const char *section, const char *key,
                               const char *value, struct kns_error *err);

/* Lists in out the keys that differ and are taken over at the next start only, ", " between; "" where there are none. */
#define KNS_CONFIG_LATE_MOST 128
void kns_config_list_late(const struct kns_config *before, const struct kns_config *after,
                          char *out, size_t size);

/* Every key with its value and documentation, as a kns.conf (what --check-config shows). */
void kns_config_print(const struct kns_config *config, FILE *out);

#endif
