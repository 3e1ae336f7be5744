/* child.h - what programs that we start are given. Any thread that does not change the environment. */
#ifndef KNSD_CHILD_H
#define KNSD_CHILD_H

/* Our environment without what systemd meant for us alone: an array for the caller to free, its strings the environment's own. NULL: no
 * memory. */
char **kns_child_environment(void);

#endif
