/*
 * hawser.c - the whole core of a device as one file, in place of those in src/: smaller, where nothing optimises across files.
 */
#if defined(__GNUC__)
#define HAWSER_INTERNAL static __attribute__((unused)) /* a build that leaves something out does not call all of them */
#else
#define HAWSER_INTERNAL static
#endif

#include "src/channel.c"
#include "src/cobs.c"
#include "src/control.c"
#include "src/device.c"
#include "src/frames.c"
#include "src/handshake.c"
#include "src/messages.c"
#include "src/noise.c"
#include "src/pairing.c"
#include "src/record.c"
#include "src/resume.c"
#include "src/session.c"
#include "src/wire.c"
