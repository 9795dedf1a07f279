# The one list of the core's C files, relative to csrc/. Every build system includes this file.

set(HAWSER_CORE_SOURCES
  src/wire.c
  src/pairing.c
  src/noise.c
  src/handshake.c
  src/resume.c
  src/cobs.c
  src/record.c
  src/frames.c
  src/control.c
  src/channel.c
  src/messages.c
  src/session.c
  src/device.c
)

# The core of a device as one file, in place of the list above: 600 bytes or more smaller on a Cortex-M4, where nothing optimises across files.
set(HAWSER_CORE_ONE_FILE hawser.c)

# Added to the core where HAWSER_GATEWAY is on.
set(HAWSER_GATEWAY_SOURCES
  src/gateway.c
)

set(HAWSER_PORT_OPENSSL_SOURCES ports/openssl/port_openssl.c)
set(HAWSER_PORT_PSA_SOURCES ports/psa/port_psa.c)

# Each is one program, run against every port. A test of the responder is in the second list.
set(HAWSER_TESTS
  port
  pairing
)
set(HAWSER_GATEWAY_TESTS
  session
  cuts
  tamper
  device
  record
  channel
  gateway
  arguments
  corners
)

# Programs without tests of their own, driven by test/vectors.
set(HAWSER_RUNNER_PROGRAMS port_vectors noise_vectors)

# Builds of a device that leave out what HAWSER_... says: the tests hold them to the compiler (tools/size.mjs: to a size).
set(HAWSER_SMALL_BUILDS
  "HAWSER_SAVE=0 HAWSER_SERIAL_LINES=0"
  "HAWSER_STREAMS=0"
  "HAWSER_SAVE=0 HAWSER_SERIAL_LINES=0 HAWSER_MODE_KEYS=0 HAWSER_MODE_PSK=0"
  "HAWSER_SAVE=0 HAWSER_SERIAL_LINES=0 HAWSER_MODE_KEYS=0 HAWSER_MODE_TICKET=0 HAWSER_SUITE_25519=0"
  "HAWSER_SAVE=0 HAWSER_SERIAL_LINES=0 HAWSER_MODE_KEYS_PSK=0 HAWSER_MODE_PSK=0 HAWSER_MODE_TICKET=0 HAWSER_SUITE_25519=0"
  "HAWSER_STREAMS=0 HAWSER_SERIAL_LINES=0 HAWSER_MODE_KEYS_PSK=0 HAWSER_MODE_PSK=0 HAWSER_MODE_TICKET=0 HAWSER_SUITE_25519=0"
)
