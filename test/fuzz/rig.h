/*
 * rig.h - a device and a gateway for the targets, with pairings, slots and a chain, small and quickly set up. One at a time.
 */
#ifndef HAWSER_FUZZ_RIG_H
#define HAWSER_FUZZ_RIG_H

#include "fuzz.h"
#include "hawser/device.h"
#include "hawser/gateway.h"

#define RIG_STREAMS 4
#define RIG_RECORD 200
#define RIG_WINDOW 400
#define RIG_MODES 5
#define RIG_OUT 1024

typedef struct rig {
  uint64_t now;
  uint8_t transport;
  hawser_pairing device_pairing, gateway_pairing;
  hawser_device device;
  hawser_stream device_streams[RIG_STREAMS], gateway_streams[RIG_STREAMS];
  uint8_t slots[2][HAWSER_SLOT_LEN];
  int slot; /* which one is valid; -1 none */
  hawser_gateway_context context;
  hawser_chain chain;
  int has_chain;
  hawser_session session;
  hawser_accept accept;
  hawser_position position; /* of the last resumption that was answered */
  int early;                /* its message 1 carried early data */
  uint8_t out[RIG_OUT];
  size_t out_len;
} rig;

extern rig r; /* the one */

/* Pairings of mode number `which` (any), a booted device, a chain for mode ticket, no session. */
void rig_init(uint8_t which, uint8_t transport);

/* The device from its slots; RAM is lost. */
void rig_boot(void);

/* A gateway session without a link. */
void rig_session(void);

/* A link of the gateway on which nothing has come yet. */
void rig_accept(void);

/* One record of control frames, into r.out. */
int rig_device_send(void);
int rig_gateway_send(void);

/* Each leaves what is to be sent in r.out and returns the code of the call that failed, or HAWSER_OK. */
int rig_message1(const hawser_early *early);
int rig_answer(const uint8_t *message1, size_t len, uint8_t verdict, int continued);
int rig_offer(const hawser_accept_event *event, uint8_t verdict, int continued);

/* A whole handshake: both ends live, streams continued if `continued`. Anything that fails is a finding. */
void rig_connect(int continued);

/* Both ends say what is due, until nothing is. */
void rig_pump(void);

/* Stores what the device asks to be stored, consumes what comes; returns the last code. */
int rig_device_events(void);
int rig_gateway_events(void);

/* Every _valid() predicate, and what no field may become. */
void rig_check_device(void);
void rig_check_session(const hawser_session *s);
void rig_check_accept(const hawser_accept *a);

#endif
