/*
 * seeded.h - the addon's random source as a test wants it: -DHAWSER_SEEDED=ON alone compiles this, and no release does.
 */
#ifndef HAWSER_TEST_SEEDED_H
#define HAWSER_TEST_SEEDED_H

#include <napi.h>

namespace hawser_node {

/* exports.seed(number): from here on this thread's random bytes follow from the number.
 * exports.restart(): the next answer of this thread draws a boot key, as in a process that has just begun. */
void define_seeded(Napi::Env env, Napi::Object exports);

} // namespace hawser_node
#endif
