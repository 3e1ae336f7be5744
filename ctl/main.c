#include "ctl/parse.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "parse") == 0)
        return kns_cmd_parse(argc - 1, argv + 1);
    fprintf(stderr, "knsctl: usage: knsctl parse FILE|-\n");
    return 2;
}
