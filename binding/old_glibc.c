/*
 * old_glibc.c - libstdc++'s headers ask a variable of glibc 2.32 whether a reference count must be atomic, and an addon that
 * does so would not load with the older glibc that Node itself is content with (2.28). This one stays inside of the addon; its
 * zero says that there may be several threads.
 */
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
