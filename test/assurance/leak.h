/*
 * leak.h - the seeded fault for secrets.c: put before every file of the core, it compares tags and tickets with memcmp().
 */
#ifndef HAWSER_ASSURANCE_LEAK_H
#define HAWSER_ASSURANCE_LEAK_H

#include <string.h>

#include "hawser/port.h"

#define hawser_port_equal(a, b, len) (memcmp((a), (b), (len)) == 0)

#endif
