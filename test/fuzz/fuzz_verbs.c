/*
 * fuzz_verbs.c - a sequence of verbs on a device and its gateway: links that are cut, late, cut into chunks and tampered
 * with; boots, saves, stores that fail; streams both ways; early data; message 1s that come again. Two honest ends:
 *
 *   - no byte is delivered twice, out of order or beside a gap, no FIN comes before the last byte;
 *   - no acknowledgement of what was not accepted;
 *   - no end ever calls the other one a violator, and without tampering nothing is refused;
 *   - what was said is said: after a deadline was served the next one lies ahead;
 *   - at the end, whatever was done to them: the two get together again, and a stream carries bytes.
 *
 * Each stream has a number in its name, and each of its bytes follows from number, direction and offset.
 */
#include "channel.h"
#include "rig.h"
#include "rig_keys.h"
#include "session.h"

#define PIPE 8192
#define APPS 40
#define STEPS_MAX 300
#define NO_APP 0xff
#define MESSAGES 4
#define JUMP_MS (HAWSER_WARM_PATIENCE_MS + 1)

/* One application stream, known by its number at both ends. Index 0: device to gateway. */
typedef struct app {
  uint64_t tx[2], delivered[2], consumed[2], acked[2];
  uint64_t total[2]; /* length once FIN was given to write(); else UINT64_MAX */
  int fin[2];        /* EV_FIN was seen */
  int repeats;       /* early data that may be handed over again */
  int was_reset, opened, closed, kind;
  char name[8];
} app;

typedef struct pipe {
  uint8_t bytes[PIPE];
  size_t len;
} pipe;

/* A session of the gateway: the live one, and the one that early data made for a candidate that is not confirmed. */
typedef struct served {
  hawser_session session;
  hawser_stream streams[RIG_STREAMS];
  uint8_t rx[HAWSER_RX_LEN(HAWSER_RECORD_MAX)];
  uint8_t app_of[RIG_STREAMS];
  int there;
} served;

static struct world {
  app apps[APPS];
  size_t app_count;
  uint8_t app_of[RIG_STREAMS]; /* at the device */
  pipe up, down;               /* to the gateway, to the device */
  int link_device, link_gateway, dirty;
  int accepting;     /* r.accept has the link, or waits beside it on a serial line */
  int fed;           /* early data of the candidate was handed over */
  int current;       /* index of the live session */
  uint8_t early[32]; /* digest of the message 1 whose early data was settled at p, SPEC 7.5 rule 3 */
  int early_state;   /* 0 none, 1 refused, 2 taken */
  uint8_t verdict;   /* by policy */
  uint8_t messages[MESSAGES][700];
  size_t message_lens[MESSAGES], message_count;
  uint8_t candidate1[32]; /* digest of message 1 of the candidate, and its answer */
  uint8_t answer[128];
  size_t answer_len;
  uint8_t blob[HAWSER_SAVE_MAX];
  size_t blob_len;
  int store; /* 0: stores; 1: fails; 2: cut before the write; 3: cut after it */
} w;
static served served_sessions[2];

static served *live(void) {
  return &served_sessions[w.current];
}

static uint8_t pattern(size_t number, int up, uint64_t offset) {
  return (uint8_t)(number * 37 + (up ? 101 : 0) + offset * 7 + (offset >> 8) * 13);
}

/* ---- applications ---- */

static app *app_at(uint8_t number) {
  FUZZ_ASSERT(number < APPS);
  return &w.apps[number];
}

static void delivered(uint8_t number, int dir, const hawser_event *event) {
  app *a = app_at(number);
  FUZZ_ASSERT(event->offset == a->delivered[dir]);
  for (size_t i = 0; i < event->len; i++) {
    FUZZ_ASSERT(event->data[i] == pattern(number, dir == 0, event->offset + i));
  }
  a->delivered[dir] += event->len;
  FUZZ_ASSERT(a->delivered[dir] <= a->total[dir]);
}

static void on_fin(uint8_t number, int dir) {
  app *a = app_at(number);
  FUZZ_ASSERT(a->total[dir] == a->delivered[dir] && !a->fin[dir]);
  a->fin[dir] = 1;
}

static void on_acked(uint8_t number, int dir, const hawser_event *event) {
  app *a = app_at(number);
  FUZZ_ASSERT(event->offset <= a->consumed[dir]);
  FUZZ_ASSERT(event->offset >= a->acked[dir]);
  FUZZ_ASSERT(!event->value || event->offset == a->total[dir]);
  a->acked[dir] = event->offset;
}

static void on_rewind(uint8_t number, int dir, const hawser_event *event) {
  app *a = app_at(number);
  FUZZ_ASSERT(event->offset >= a->acked[dir]);
  FUZZ_ASSERT(event->offset <= a->delivered[dir] || a->repeats || event->offset <= a->tx[dir]);
  a->tx[dir] = event->offset;
}

/* Code 0 where nobody has reset anything: both directions came to their end. */
static void on_closed(uint8_t number, const hawser_event *event) {
  app *a = app_at(number);
  if (event->value == HAWSER_DONE && !a->was_reset) {
    FUZZ_ASSERT(a->total[0] == a->delivered[0] && a->total[1] == a->delivered[1]);
  }
}

/* One event of a stream, at either end. sender: the direction in which this end sends. */
static void stream_event(hawser_session *s, uint8_t *app_of, const hawser_event *event, int sender) {
  uint8_t number = app_of[event->stream];
  int dir = 1 - sender;
  FUZZ_ASSERT(event->stream < RIG_STREAMS && number != NO_APP);
  switch (event->type) {
  case HAWSER_EV_DATA:
    delivered(number, dir, event);
    if ((number + event->len) % 3 != 0) { /* some is consumed later, by an operation */
      FUZZ_ASSERT(hawser_consume(s, event->stream, event->len) == HAWSER_OK);
      app_at(number)->consumed[dir] = app_at(number)->delivered[dir];
    }
    break;
  case HAWSER_EV_FIN:
    on_fin(number, dir);
    break;
  case HAWSER_EV_ACKED:
    on_acked(number, sender, event);
    break;
  case HAWSER_EV_REWIND:
    on_rewind(number, sender, event);
    break;
  case HAWSER_EV_CLOSED:
    on_closed(number, event);
    app_of[event->stream] = NO_APP;
    break;
  default:
    break;
  }
}

/* ---- links ---- */

static void put(pipe *p, const uint8_t *bytes, size_t len) {
  if (len > PIPE - p->len) { /* as a line that loses what does not fit */
    w.dirty = 1;
    return;
  }
  memcpy(p->bytes + p->len, bytes, len);
  p->len += len;
}

static void down_device(void) {
  w.link_device = 0;
  w.up.len = w.down.len = 0;
  hawser_disconnected(&r.device, r.now);
}

static void down_gateway(void) {
  w.link_gateway = 0;
  w.accepting = 0;
  w.up.len = w.down.len = 0;
  if (live()->there) {
    hawser_link_down(&live()->session);
  }
}

static void drain_device(void);
static void drain_gateway(served *g);

static void cut(void) {
  down_device();
  down_gateway();
  w.dirty = 0;
  drain_device();
  drain_gateway(live());
}

/* Something was refused: only where somebody has tampered, and never as a broken rule. */
static void refused(int err, int device) {
  FUZZ_ASSERT(err != HAWSER_ERR_PEER && err != HAWSER_ERR_CRYPTO && err != HAWSER_ERR_RANDOM);
  FUZZ_ASSERT(w.dirty || err == HAWSER_ERR_STORAGE || err == HAWSER_ERR_CLOSED);
  if (device) {
    down_device();
    drain_device();
  } else {
    down_gateway();
    drain_gateway(live());
  }
}

/* ---- device ---- */

static void boot(void) {
  for (size_t i = 0; i < RIG_STREAMS; i++) {
    w.app_of[i] = NO_APP;
  }
  w.link_device = 0;
  w.up.len = w.down.len = 0;
  rig_boot();
}

static void store(const hawser_event *event) {
  int how = w.store;
  w.store = 0;
  if (how == 2) { /* the power goes before the write */
    boot();
    return;
  }
  if (how != 1) {
    r.slot = r.slot == 0 ? 1 : 0;
    memcpy(r.slots[r.slot], event->data, HAWSER_SLOT_LEN);
  }
  if (how == 3) {
    boot();
    return;
  }
  if (hawser_stored(&r.device, how != 1) != HAWSER_OK) {
    FUZZ_ASSERT(how == 1);
    refused(HAWSER_ERR_STORAGE, 1);
  }
}

static void drain_device(void) {
  hawser_event event;
  int err = hawser_device_next(&r.device, &event);
  while (err == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    if (event.type == HAWSER_EV_STORE) {
      store(&event);
    } else if (event.type == HAWSER_EV_CLOSE) {
      down_device();
    } else if (event.type == HAWSER_EV_DEAD) {
      down_device();
    } else if (event.type != HAWSER_EV_LIVE && event.type != HAWSER_EV_PONG && event.type != HAWSER_EV_VERDICT) {
      stream_event(&r.device.session, w.app_of, &event, 0);
    }
    err = hawser_device_next(&r.device, &event);
  }
  FUZZ_ASSERT(err == HAWSER_OK);
  rig_check_device();
}

static void connect_device(int with_early, fuzz_input *in) {
  uint8_t bytes[64];
  hawser_early early = {0, bytes, 0, 0, 0};
  app *a = NULL;
  int taken = 0, err;
  if (r.device.state != 1) {
    return;
  }
  if (with_early) {
    uint8_t how = fuzz_byte(in);
    uint16_t id = how % RIG_STREAMS;
    if (w.app_of[id] != NO_APP) {
      a = app_at(w.app_of[id]);
      early.stream = id;
      early.idempotent = (how & 4) != 0;
      early.len = how >> 3;
      if (a->total[0] != UINT64_MAX || a->kind != HAWSER_KIND_STREAM) {
        a = NULL;
      }
    }
    for (size_t i = 0; a != NULL && i < early.len; i++) {
      bytes[i] = pattern(w.app_of[id], 1, r.device.session.streams[id].tx_acked + i);
    }
  }
  err = hawser_connect(&r.device, r.transport, a != NULL ? &early : NULL, &taken, r.now);
  FUZZ_ASSERT(err == HAWSER_OK);
  if (taken) {
    FUZZ_ASSERT(a->tx[0] == a->acked[0] || r.device.session.streams[early.stream].tx == a->tx[0]);
    a->repeats |= early.idempotent;
    a->tx[0] = r.device.session.streams[early.stream].tx + early.len;
  }
  w.link_device = w.link_gateway = 1;
  w.up.len = w.down.len = 0;
  w.dirty = 0;
  drain_device();
  if (r.transport == HAWSER_STREAM || !live()->there || !live()->session.link.live) {
    rig_accept();
    w.accepting = 1;
  }
}

static void send_device(void) {
  uint8_t before = r.device.state;
  if (!w.link_device) {
    return;
  }
  FUZZ_ASSERT(rig_device_send() == HAWSER_OK);
  put(&w.up, r.out, r.out_len);
  if (before == 2 && r.out_len > 0 && r.out_len <= sizeof w.messages[0]) { /* a message 1: kept for a replay */
    size_t k = w.message_count++ % MESSAGES;
    memcpy(w.messages[k], r.out, r.out_len);
    w.message_lens[k] = r.out_len;
  }
}

static void receive_device(size_t n) {
  size_t len = n < w.down.len ? n : w.down.len;
  uint8_t *bytes = malloc(len > 0 ? len : 1);
  size_t at = 0;
  int err = HAWSER_OK;
  FUZZ_ASSERT(bytes != NULL);
  memcpy(bytes, w.down.bytes, len);
  memmove(w.down.bytes, w.down.bytes + len, w.down.len - len);
  w.down.len -= len;
  while (w.link_device && err == HAWSER_OK && at < len) {
    size_t used = 0;
    err = hawser_device_receive(&r.device, bytes + at, len - at, &used, r.now);
    at += used;
    if (err == HAWSER_OK) {
      FUZZ_ASSERT(used > 0);
      drain_device();
    }
  }
  free(bytes);
  if (err != HAWSER_OK) {
    refused(err, 1);
  }
}

/* ---- gateway ---- */

static void new_served(served *g) {
  FUZZ_ASSERT(hawser_session_init(&g->session, &r.gateway_pairing, g->streams, RIG_STREAMS, g->rx, sizeof g->rx) ==
              HAWSER_OK);
  memset(g->app_of, NO_APP, sizeof g->app_of);
  g->there = 1;
}

/* The upstream's name holds the number. */
static void on_open(served *g, const hawser_event *event) {
  uint8_t number;
  app *a;
  FUZZ_ASSERT(event->stream < RIG_STREAMS && event->len == 3 && event->data[0] == 's');
  number = (uint8_t)((event->data[1] - '0') * 10 + event->data[2] - '0');
  a = app_at(number);
  FUZZ_ASSERT(g->app_of[event->stream] == NO_APP);
  FUZZ_ASSERT(event->value == (uint32_t)a->kind);
  if (a->opened && a->delivered[0] > 0) { /* in a new session, from the start */
    FUZZ_ASSERT(a->repeats);
    a->delivered[0] = a->consumed[0] = 0;
    a->fin[0] = 0;
  }
  a->opened = 1;
  g->app_of[event->stream] = number;
  if (number % 4 != 3) { /* some upstreams connect later */
    FUZZ_ASSERT(hawser_consume(&g->session, event->stream, 0) == HAWSER_OK);
  }
}

static void to_accept(const uint8_t *bytes, size_t len, size_t *used);

static void drain_gateway(served *g) {
  hawser_event event;
  int err;
  if (!g->there) {
    return;
  }
  err = hawser_next(&g->session, &event);
  while (err == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    if (event.type == HAWSER_EV_OPEN) {
      on_open(g, &event);
    } else if (event.type == HAWSER_EV_HANDSHAKE) {
      uint8_t copy[HAWSER_COBS_LEN(HAWSER_MESSAGE1_MAX + 2)];
      size_t len = event.len, used = 0;
      FUZZ_ASSERT(len <= sizeof copy);
      memcpy(copy, event.data, len);
      if (!w.accepting) {
        rig_accept();
        w.accepting = 1;
        to_accept(copy, len, &used);
      }
    } else if (event.type == HAWSER_EV_CLOSE) {
      break;
    } else if (event.type != HAWSER_EV_PONG && event.type != HAWSER_EV_DEAD) {
      stream_event(&g->session, g->app_of, &event, 1);
    }
    err = hawser_next(&g->session, &event);
  }
  FUZZ_ASSERT(err == HAWSER_OK);
  rig_check_session(&g->session);
}

/* The streams of a session that is gone are gone. */
static void end_served(served *g) {
  if (g->there) {
    if (g->session.frames_len == 0 && hawser_close(&g->session, HAWSER_GOING_AWAY) == HAWSER_OK) {
      hawser_link_down(&g->session);
      drain_gateway(g);
    }
    hawser_session_wipe(&g->session);
    g->there = 0;
  }
}

static int continues(void) {
  const served *g = live();
  return g->there && (g->session.flags & HAWSER_SF_CLOSED) == 0 && !hawser_is_zero(g->session.name, 8) &&
         memcmp(g->session.name, hawser_accept_continues(&r.accept), 8) == 0;
}

/* SPEC 7.5 rules 2 and 3. */
static uint8_t settle(int early, int moved) {
  const uint8_t *digest = hawser_accept_digest1(&r.accept);
  if (moved) {
    w.early_state = 0;
  }
  if (!early) {
    return HAWSER_NO_EARLY;
  }
  if (w.early_state == 0) {
    int named = !hawser_is_zero(hawser_accept_continues(&r.accept), 8);
    int refuse = w.verdict == HAWSER_NOT_TAKEN || (named && !continues());
    w.early_state = refuse ? 1 : 2;
    memcpy(w.early, digest, 32);
    return refuse ? HAWSER_NOT_TAKEN : HAWSER_TAKEN;
  }
  return w.early_state == 2 && memcmp(w.early, digest, 32) == 0 ? HAWSER_UNKNOWN : HAWSER_NOT_TAKEN;
}

static void feed_early(int continued) {
  served *g = live();
  if (!continued) {
    g = &served_sessions[1 - w.current];
    end_served(g);
    new_served(g);
    w.fed = 1;
  }
  FUZZ_ASSERT(hawser_session_early(&g->session, &r.accept, r.now) == HAWSER_OK);
  drain_gateway(g);
}

static int answer_ticket(void) {
  hawser_position at;
  int early = 0, continued, moved;
  uint8_t verdict;
  int err = hawser_accept_offer_ticket(&r.accept, &r.gateway_pairing, &r.chain, 2, &at, &early);
  if (err != HAWSER_OK) {
    return err;
  }
  moved = at.b != r.chain.b || at.i != r.chain.i;
  FUZZ_ASSERT(hawser_chain_move(&r.chain, at) == HAWSER_OK);
  r.position = at;
  continued = continues();
  verdict = settle(early, moved);
  FUZZ_ASSERT(hawser_accept_answer_ticket(&r.accept, &r.context, verdict, continued, NULL, 0, w.answer, sizeof w.answer,
                                          &w.answer_len) == HAWSER_OK);
  if (verdict == HAWSER_TAKEN) {
    feed_early(continued);
  }
  return HAWSER_OK;
}

/* A message 1 is complete. */
static int answer(const hawser_accept_event *event) {
  int err;
  w.fed = 0;
  if (event->type == HAWSER_ACCEPT_ID) {
    err = hawser_accept_offer_id(&r.accept, &r.gateway_pairing);
    if (err == HAWSER_OK) {
      err = hawser_accept_answer_full(&r.accept, NULL, 0, w.answer, sizeof w.answer, &w.answer_len);
    }
  } else {
    err = r.has_chain ? answer_ticket() : HAWSER_ERR_AUTH;
  }
  if (err == HAWSER_OK) {
    put(&w.down, w.answer, w.answer_len);
  }
  return err;
}

/* SPEC 7.5 rules 5 and 6. */
static void confirm(void) {
  int full = hawser_accept_chain(&r.accept) != NULL;
  int continued = full ? continues() : r.accept.continued;
  w.accepting = 0;
  w.early_state = 0;
  if (full) {
    r.chain = *hawser_accept_chain(&r.accept);
    r.has_chain = 1;
  } else {
    hawser_position next = {r.position.b, r.position.i + 1};
    if (hawser_chain_move(&r.chain, next) != HAWSER_OK || (continued && !continues())) {
      down_gateway();
      return;
    }
  }
  if (!continued) {
    end_served(live());
    w.current = 1 - w.current;
    if (!w.fed) {
      end_served(live());
      new_served(live());
    }
  }
  w.fed = 0;
  FUZZ_ASSERT(hawser_session_attach(&live()->session, &r.accept, continued, r.now) == HAWSER_OK);
  drain_gateway(live());
}

static void to_accept(const uint8_t *bytes, size_t len, size_t *used) {
  hawser_accept_event event;
  int err = hawser_accept_receive(&r.accept, bytes, len, used, &event);
  rig_check_accept(&r.accept);
  if (err == HAWSER_OK && (event.type == HAWSER_ACCEPT_ID || event.type == HAWSER_ACCEPT_TICKET)) {
    err = answer(&event);
    if (err != HAWSER_OK && r.transport == HAWSER_SERIAL) { /* silence; the line waits for the next one */
      FUZZ_ASSERT(err == HAWSER_ERR_AUTH);
      rig_accept();
      return;
    }
  } else if (err == HAWSER_OK && event.type == HAWSER_ACCEPT_CONFIRM) {
    confirm();
  }
  if (err != HAWSER_OK) {
    w.accepting = 0;
    /* without a chain, or with an older one, silence is the answer to an honest device as well */
    if (err == HAWSER_ERR_AUTH) {
      w.dirty = 1;
    }
    refused(err, 0);
  }
}

static void receive_gateway(size_t n) {
  size_t len = n < w.up.len ? n : w.up.len;
  uint8_t *bytes = malloc(len > 0 ? len : 1);
  size_t at = 0;
  int err = HAWSER_OK;
  FUZZ_ASSERT(bytes != NULL);
  memcpy(bytes, w.up.bytes, len);
  memmove(w.up.bytes, w.up.bytes + len, w.up.len - len);
  w.up.len -= len;
  while (w.link_gateway && err == HAWSER_OK && at < len) {
    size_t used = 0;
    if (w.accepting) {
      to_accept(bytes + at, len - at, &used);
      FUZZ_ASSERT(used > 0 || !w.link_gateway);
    } else if (live()->there && live()->session.link.live) {
      err = hawser_receive(&live()->session, bytes + at, len - at, &used, r.now);
      if (err == HAWSER_OK) {
        drain_gateway(live());
      }
    } else {
      break;
    }
    at += used;
  }
  free(bytes);
  if (err != HAWSER_OK) {
    refused(err, 0);
  }
}

/* SPEC 6: a candidate is sent nothing but message 2, so an older link on the same line falls silent. */
static int gateway_speaks(void) {
  return w.link_gateway && live()->there && live()->session.link.live &&
         !(w.accepting && (r.transport == HAWSER_STREAM || r.accept.state == 3));
}

static void send_gateway(void) {
  served *g = live();
  size_t len = 0;
  if (!gateway_speaks()) {
    return;
  }
  FUZZ_ASSERT(hawser_send(&g->session, r.out, sizeof r.out, &len, r.now) == HAWSER_OK);
  put(&w.down, r.out, len);
  drain_gateway(g);
}

/* ---- operations ---- */

static void open_app(uint8_t kind) {
  app *a = &w.apps[w.app_count];
  uint16_t id = 0;
  if (w.app_count == APPS) {
    return;
  }
  a->name[0] = 's';
  a->name[1] = (char)('0' + w.app_count / 10);
  a->name[2] = (char)('0' + w.app_count % 10);
  if (hawser_open(&r.device, a->name, kind, &id) == HAWSER_OK) {
    FUZZ_ASSERT(w.app_of[id] == NO_APP);
    a->total[0] = a->total[1] = UINT64_MAX;
    a->kind = kind;
    w.app_of[id] = (uint8_t)w.app_count++;
  }
}

static void write_app(int dir, uint16_t id, size_t len, int fin) {
  hawser_session *s = dir == 0 ? &r.device.session : &live()->session;
  const uint8_t *app_of = dir == 0 ? w.app_of : live()->app_of;
  uint8_t bytes[256];
  size_t out_len = 0, taken = 0;
  int fin_taken = 0, err;
  app *a;
  if (app_of[id] == NO_APP || (dir == 0 ? !w.link_device : !gateway_speaks())) {
    return;
  }
  a = app_at(app_of[id]);
  if (a->total[dir] != UINT64_MAX) { /* FIN was said once: it comes again at the same place */
    fin = 1;
    len = a->total[dir] - a->tx[dir] < sizeof bytes ? (size_t)(a->total[dir] - a->tx[dir]) : sizeof bytes;
    fin = a->tx[dir] + len == a->total[dir];
  }
  for (size_t i = 0; i < len; i++) {
    bytes[i] = pattern(app_of[id], dir == 0, a->tx[dir] + i);
  }
  err = hawser_write(s, id, bytes, len, fin, r.out, sizeof r.out, &out_len, &taken, &fin_taken, r.now);
  if (err != HAWSER_OK) {
    FUZZ_ASSERT(err == HAWSER_ERR_CLOSED || (err == HAWSER_ERR_ARG && a->kind == HAWSER_KIND_MESSAGES));
    return;
  }
  FUZZ_ASSERT(taken <= len && (!fin_taken || taken == len));
  a->tx[dir] += taken;
  if (fin_taken) {
    a->total[dir] = a->tx[dir];
  }
  put(dir == 0 ? &w.up : &w.down, r.out, out_len);
}

/* What was not consumed at once. */
static void consume_app(int dir, uint16_t id) {
  hawser_session *s = dir == 1 ? &r.device.session : &live()->session;
  const uint8_t *app_of = dir == 1 ? w.app_of : live()->app_of;
  app *a;
  if ((dir == 0 && !live()->there) || app_of[id] == NO_APP) {
    return;
  }
  a = app_at(app_of[id]);
  if (hawser_consume(s, id, (size_t)(a->delivered[dir] - a->consumed[dir])) == HAWSER_OK) {
    a->consumed[dir] = a->delivered[dir];
  }
}

static void reset_app(int dir, uint16_t id, uint8_t code) {
  hawser_session *s = dir == 0 ? &r.device.session : &live()->session;
  const uint8_t *app_of = dir == 0 ? w.app_of : live()->app_of;
  if ((dir == 1 && !live()->there) || app_of[id] == NO_APP) {
    return;
  }
  app_at(app_of[id])->was_reset = 1;
  (void)!hawser_reset(s, id, code % 9);
}

static void message_app(int dir, uint16_t id, size_t len) {
  hawser_session *s = dir == 0 ? &r.device.session : &live()->session;
  uint8_t bytes[256] = {0};
  size_t out_len = 0;
  if (dir == 0 ? !w.link_device : !gateway_speaks()) {
    return;
  }
  if (hawser_message(s, id, bytes, len, r.out, sizeof r.out, &out_len, r.now) == HAWSER_OK) {
    put(dir == 0 ? &w.up : &w.down, r.out, out_len);
  }
}

static void tamper(fuzz_input *in) {
  uint8_t how = fuzz_byte(in);
  pipe *p = how & 1 ? &w.up : &w.down;
  size_t at = fuzz_byte(in);
  if (p->len == 0) {
    return;
  }
  w.dirty = 1;
  at %= p->len;
  if (how & 2) { /* lost */
    memmove(p->bytes + at, p->bytes + at + 1, p->len - at - 1);
    p->len--;
  } else if ((how & 4) != 0 && p->len < PIPE) { /* twice */
    memmove(p->bytes + at + 1, p->bytes + at, p->len - at);
    p->len++;
  } else {
    p->bytes[at] ^= (uint8_t)(1u << (how >> 5));
  }
}

/* Somebody repeats an older message 1 on a link of his own; whatever the answer, he cannot go on. */
static void replay(fuzz_input *in) {
  size_t k = fuzz_byte(in) % MESSAGES;
  size_t used = 0;
  if (w.message_lens[k] == 0 || r.transport != HAWSER_STREAM || w.accepting) {
    return;
  }
  rig_accept();
  w.accepting = 1;
  {
    int link = w.link_gateway, dirty = w.dirty;
    pipe down = w.down;
    hawser_accept_event event;
    if (hawser_accept_receive(&r.accept, w.messages[k], w.message_lens[k], &used, &event) == HAWSER_OK &&
        event.type != HAWSER_ACCEPT_NONE) {
      (void)!answer(&event);
    }
    w.down = down;
    w.link_gateway = link;
    w.dirty = dirty;
    w.fed = 0;
    w.accepting = 0;
  }
}

static void save(uint8_t kind) {
  w.blob_len = 0;
  if (hawser_save(&r.device, kind, w.blob, &w.blob_len) == HAWSER_OK) {
    uint8_t app_of[RIG_STREAMS];
    memcpy(app_of, w.app_of, sizeof app_of);
    boot();
    FUZZ_ASSERT(hawser_restore(&r.device, w.blob, w.blob_len) == HAWSER_OK);
    for (uint16_t id = 0; id < RIG_STREAMS; id++) {
      if ((r.device_streams[id].flags & HAWSER_ST_USED) != 0) {
        app *a = app_at(app_of[id]);
        w.app_of[id] = app_of[id];
        FUZZ_ASSERT(hawser_name(&r.device, id, a->name) == HAWSER_OK);
        /* what was received and not accepted comes again; what was not acknowledged is written again */
        a->delivered[1] = a->consumed[1] = r.device_streams[id].rx_acked - (r.device_streams[id].rx_end != 0);
        a->fin[1] = r.device_streams[id].rx_end != 0;
        a->tx[0] = r.device_streams[id].tx - (r.device_streams[id].tx_end != 0);
      }
    }
    rig_check_device();
  }
}

static void timeouts(uint64_t ms) {
  r.now += ms;
  if (hawser_device_deadline(&r.device) <= r.now) {
    FUZZ_ASSERT(hawser_device_timeout(&r.device, r.now) == HAWSER_OK);
    drain_device();
    send_device();
    send_device();
    drain_device(); /* what is sent may end a stream */
    /* SPEC-independent: a caller that serves deadlines must not spin */
    FUZZ_ASSERT(!w.link_device || hawser_device_deadline(&r.device) > r.now || w.dirty);
  }
  if (live()->there && hawser_deadline(&live()->session) <= r.now) {
    FUZZ_ASSERT(hawser_timeout(&live()->session, r.now) == HAWSER_OK);
    drain_gateway(live());
    send_gateway();
    send_gateway();
  }
}

static void pump(void) {
  for (int i = 0; i < 40; i++) {
    size_t before = w.up.len + w.down.len;
    send_device();
    receive_gateway(PIPE);
    send_gateway();
    receive_device(PIPE);
    if (before == 0 && w.up.len + w.down.len == 0 && i > 3) {
      return;
    }
  }
}

static void operate(fuzz_input *in) {
  uint8_t op = fuzz_byte(in);
  uint16_t id = op >> 4 & 3;
  switch (op & 15) {
  case 0:
    connect_device(0, in);
    break;
  case 1:
    connect_device(1, in);
    break;
  case 2:
    send_device();
    receive_gateway(1u + (op >> 4) * 37u);
    break;
  case 3:
    send_gateway();
    receive_device(1u + (op >> 4) * 37u);
    break;
  case 4:
    pump();
    break;
  case 5:
    cut();
    break;
  case 6:
    open_app(op >> 7);
    break;
  case 7:
    write_app(op >> 7, id, fuzz_byte(in), (op & 64) != 0);
    break;
  case 8:
    consume_app(op >> 7, id);
    break;
  case 9:
    reset_app(op >> 7, id, fuzz_byte(in));
    break;
  case 10:
    tamper(in);
    break;
  case 11:
    replay(in);
    break;
  case 12:
    timeouts((uint64_t)1 << (op >> 4));
    break;
  case 13:
    message_app(op >> 7, id, fuzz_byte(in));
    break;
  case 14:
    if (op & 128) {
      (void)!hawser_ping(&r.device.session, r.now);
    } else if (op & 64) {
      down_device(); /* the gateway does not notice */
      drain_device();
    } else if (op & 32) {
      w.verdict = w.verdict == HAWSER_TAKEN ? HAWSER_NOT_TAKEN : HAWSER_TAKEN;
    } else {
      w.store = op >> 4 & 1 ? 1 : 2;
    }
    break;
  default:
    if (op & 128) {
      save(op & 64 ? HAWSER_SAVE_RETAINED : HAWSER_SAVE_FLASH);
    } else if (op & 64) {
      boot();
    } else if (op & 32) {
      w.store = 3;
    } else if (live()->there && hawser_close(&live()->session, HAWSER_REVOKED) == HAWSER_OK) {
      for (size_t i = 0; i < RIG_STREAMS; i++) {
        if (live()->app_of[i] != NO_APP) {
          app_at(live()->app_of[i])->was_reset = 1;
        }
      }
      send_gateway();
      drain_gateway(live());
    }
    break;
  }
}

/* Whatever was done to them: they get together again, and carry bytes. */
static void heal(void) {
  w.store = 0;
  w.verdict = HAWSER_TAKEN;
  cut();
  for (int i = 0; i < 8 && r.device.state != 4; i++) {
    r.now += JUMP_MS;
    connect_device(0, NULL);
    pump();
    if (r.device.state != 4) {
      cut();
    }
  }
  FUZZ_ASSERT(r.device.state == 4 && live()->session.link.live);
  FUZZ_ASSERT(memcmp(r.device.session.name, live()->session.name, 8) == 0);
}

static void carry(void) {
  size_t before = w.app_count;
  w.app_count = before < APPS ? before : APPS - 1;
  for (uint16_t id = 0; id < RIG_STREAMS; id++) {
    reset_app(0, id, 0);
  }
  pump();
  timeouts(100);
  pump();
  memset(&w.apps[w.app_count], 0, sizeof w.apps[0]);
  before = w.app_count;
  open_app(HAWSER_KIND_STREAM);
  FUZZ_ASSERT(w.app_count == before + 1);
  pump();
  for (uint16_t id = 0; id < RIG_STREAMS; id++) {
    if (w.app_of[id] == before) {
      write_app(0, id, 10, 0);
    }
  }
  pump();
  FUZZ_ASSERT(w.apps[before].delivered[0] == 10);
}

void fuzz_verbs(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  uint8_t which = fuzz_byte(&in);
  memset(&w, 0, sizeof w);
  memset(w.app_of, NO_APP, sizeof w.app_of);
  w.verdict = HAWSER_TAKEN;
  for (size_t i = 0; i < 2; i++) {
    served_sessions[i].there = 0;
  }
  rig_init(which, which & 128 ? HAWSER_SERIAL : HAWSER_STREAM);
  for (int step = 0; in.left > 0 && step < STEPS_MAX; step++) {
    operate(&in);
    rig_check_device();
    if (live()->there) {
      rig_check_session(&live()->session);
    }
  }
  heal();
  carry();
}
