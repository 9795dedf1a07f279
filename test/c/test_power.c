/*
 * test_power.c - a device over flash whose power is cut at any operation and between any two messages, and the gateway it is paired
 * with (ATTACKS.md class 4). Whatever is torn, it ends in a working session; and all along
 *
 *   no (key, nonce) seals two different things; early data is handed over at most once and its verdict is true when it comes;
 *   flash is written once for each answered block start, and for nothing else; when a first record leaves, the old slot is erased.
 *
 * An old image that is put back is met with silence in mode ticket, and healed by a full handshake in the others. Each promise is also
 * held against a driver, a device or a gateway that is broken where the promise needs it, and has to be seen broken.
 *
 *   test-power [CUTS [SEED]]
 */
#include "flash_slots.h"
#include "power_gateway.h"
#include "seals.h"

void hawser_trace(const uint8_t key[32], const uint8_t nonce[12], const uint8_t *ad, size_t ad_len, const uint8_t *in,
                  size_t len) {
  seals_note(key, nonce, ad, ad_len, in, len);
}

#define RING 16
#define LIFE 20000 /* data, and so power cycles, of one device */
#define FRAME 512
#define TRIES 8
#define DATUM 8

enum device_fault {
  DEVICE_SOUND,
  WRITES_LATE,     /* says so at once, writes with the next image */
  WIPES_FIRST,     /* the old slot before the new one is written */
  WRITES_OVER,     /* over the valid slot */
  SAYS_NOT_STORED, /* when the old slot was not wiped */
  NO_READ_BACK,    /* believes what the flash says of itself */
  NO_SYNC,         /* believes the cache */
  NO_WIPE,         /* leaves the old slot */
  BOOT_KEEPS_SLOT, /* leaves the older of two valid slots */
  WRITES_AT_BOOT,  /* wears the flash for nothing */
  KEEPS_KEYS       /* RAM with traffic keys survives, as it was before */
};

typedef struct campaign {
  const char *name;
  uint8_t mode, suite, transport, cached, rollback, device_fault, gateway_fault;
  flash_faults faults;
  unsigned long share; /* of all cuts */
} campaign;

typedef struct counts {
  unsigned long cycles, cuts_in_flash, cuts_elsewhere, live, refused, handshakes, stores;
  /* what must not be */
  unsigned long locked_out, handed_twice, false_verdicts, not_wiped, writes_wrong, nonces_reused;
} counts;

static ends e;
static flash_sim flash;
static counts n;
static const campaign *now;
static uint64_t g_random;

static struct {
  uint8_t handed[LIFE];
  uint32_t datum; /* of this power cycle */
  uint16_t stream;
  int open, sent, verdict, disturbed;
  unsigned long starts, stores; /* answered block starts, images asked for */
  uint32_t words;               /* of the flash, that the stores account for */
  uint8_t frames[RING][FRAME];  /* message 1s of the past, framed */
  size_t lens[RING];
  size_t recorded;
  uint8_t late[HAWSER_SLOT_LEN]; /* WRITES_LATE */
  uint32_t late_slot;
  int has_late;
  uint8_t old[FLASH_PAGES][FLASH_PAGE];
} w;

static uint32_t roll(uint32_t below) {
  g_random = g_random * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(g_random >> 33) % below;
}

/* ---- boundaries ---- */

/* Between two things that the device does: 0 if the power has gone. */
static int powered(void) {
  if (!flash.off && flash.cut_in > 0 && --flash.cut_in == 0) {
    flash_power_cut(&flash);
    n.cuts_elsewhere++;
  }
  return !flash.off;
}

/* An attacker brings a message 1 of the past, on a link of its own. */
static void replay(void) {
  uint8_t out[256];
  size_t len = 0, which = roll(RING);
  if (w.lens[which] > 0) {
    (void)gateway_message1(&g.replayed, w.frames[which], w.lens[which], out, sizeof out, &len);
  }
}

/* On the way between the ends: 0 if the link is lost, or the gateway with it. */
static int arrives(void) {
  uint32_t fate = roll(256);
  if (fate < 16) {
    replay();
    return 1;
  }
  if (fate >= 24) {
    return 1;
  }
  w.disturbed = 1;
  if (fate == 16) {
    gateway_restart();
  } else if (fate == 17) {
    gateway_machine_down();
  } else if (fate == 18) {
    gateway_failover();
  }
  return 0;
}

/* ---- the upstream, and the device's program ---- */

static void put_datum(uint8_t out[DATUM], uint32_t datum) {
  hawser_writer writer = {out, DATUM, 0};
  hawser_put(&writer, DATUM, datum);
}

static void on_datum(const uint8_t *bytes, size_t len) {
  hawser_reader r = {bytes, len, 0};
  uint64_t datum = hawser_get(&r, DATUM);
  CHECK(hawser_reader_done(&r) && datum < LIFE);
  if (datum < LIFE && w.handed[datum]++ > 0) {
    n.handed_twice++;
  }
}

static void on_verdict(uint32_t verdict) {
  int handed = w.handed[w.datum];
  w.verdict = (int)verdict;
  n.false_verdicts += (verdict == HAWSER_TAKEN && handed != 1) || (verdict == HAWSER_NOT_TAKEN && handed != 0);
}

/* ---- flash ---- */

static int store_late(uint32_t slot, const uint8_t *image) {
  int result = w.has_late ? flash_slots_store(&flash, w.late_slot, w.late) : HAWSER_STORED;
  memcpy(w.late, image, sizeof w.late);
  w.late_slot = slot;
  w.has_late = 1;
  return result;
}

static int store(uint32_t slot, const uint8_t *image) {
  switch (now->device_fault) {
  case WRITES_LATE:
    return store_late(slot, image);
  case WIPES_FIRST:
    return flash_slots_wipe(&flash, !slot) && flash_slots_write(&flash, slot, image);
  case WRITES_OVER:
    return flash_slots_store(&flash, !slot, image);
  case SAYS_NOT_STORED:
    return flash_slots_store(&flash, slot, image) == HAWSER_STORED;
  case NO_READ_BACK:
    return flash_slots_write(&flash, slot, image) && flash_slots_wipe(&flash, !slot);
  case NO_SYNC:
    return flash_slots_wipe(&flash, slot) && flash_program(&flash, slot, 0, image, HAWSER_SLOT_LEN) == FLASH_OK &&
           flash_slots_holds(&flash, slot, image) && flash_slots_wipe(&flash, !slot);
  case NO_WIPE:
    return flash_slots_write(&flash, slot, image) && flash_slots_holds(&flash, slot, image);
  default:
    return flash_slots_store(&flash, slot, image);
  }
}

static uint32_t words_written(void) {
  return flash.words[0] + flash.words[1];
}

static int on_store(const hawser_event *event) {
  int was_off = flash.off, result = store(event->value, event->data);
  w.stores++;
  w.words = words_written();
  n.cuts_in_flash += !was_off && flash.off;
  w.disturbed |= result != HAWSER_STORED;
  return flash.off ? HAWSER_ERR_STORAGE : hawser_stored(&e.device, result);
}

/* SPEC 7.4 rule 4: before the first record leaves there is nothing in flash but the next block. */
static void check_flash(void) {
  int blank = 0;
  for (unsigned page = 0; page < FLASH_PAGES; page++) {
    size_t at = 0;
    while (at < FLASH_PAGE && flash.bytes[page][at] == 0xff) {
      at++;
    }
    blank += at == FLASH_PAGE;
  }
  n.not_wiped += blank != 1;
}

typedef struct slot_seen {
  int valid, own; /* of the position's chain */
  uint32_t sequence, f;
} slot_seen;

static slot_seen see_slot(const uint8_t *page) {
  hawser_reader r = {page + 8, HAWSER_SLOT_LEN - 8, 0};
  slot_seen s;
  s.valid = hawser_check_matches(page, HAWSER_SLOT_LEN - HAWSER_CHECK_LEN) == 1;
  s.sequence = (uint32_t)hawser_get(&r, 4);
  s.own = memcmp(hawser_get_bytes(&r, HAWSER_NAME_LEN), e.device.chain, HAWSER_NAME_LEN) == 0;
  s.f = (uint32_t)hawser_get(&r, 4);
  return s;
}

/* Of a block before the position's, or of a chain before its chain. */
static int opens_the_past(slot_seen s, slot_seen other) {
  return s.valid && (s.own ? s.f < e.device.b : other.valid && other.own && s.sequence < other.sequence);
}

/* And when a message 1 of a resumption does, no slot opens what is past. */
static void check_slots(void) {
  hawser_handshake_info info;
  hawser_device_handshake(&e.device, &info);
  if (info.kind == HAWSER_RESUMPTION) {
    slot_seen a = see_slot(flash.bytes[0]), b = see_slot(flash.bytes[1]);
    n.not_wiped += opens_the_past(a, b) || opens_the_past(b, a);
  }
}

/* ---- the device ---- */

static int device_events(void) {
  hawser_event event;
  int err;
  while ((err = hawser_device_next(&e.device, &event)) == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    if (event.type == HAWSER_EV_STORE) {
      err = on_store(&event);
      if (err != HAWSER_OK) {
        return err;
      }
    } else if (event.type == HAWSER_EV_VERDICT) {
      on_verdict(event.value);
    } else if (event.type == HAWSER_EV_REWIND && event.stream == w.stream) {
      w.sent = event.offset != 0;
    } else if (event.type == HAWSER_EV_CLOSED && event.stream == w.stream) {
      w.open = 0;
    }
  }
  return err;
}

static int to_device(uint8_t *bytes, size_t len) {
  int err = HAWSER_OK;
  while (err == HAWSER_OK && len > 0) {
    size_t used = 0;
    err = hawser_device_receive(&e.device, bytes, len, &used, e.now);
    bytes += used;
    len -= used;
    err = err == HAWSER_OK ? device_events() : err;
  }
  return err;
}

static int to_gateway(uint8_t *bytes, size_t len) {
  int err = g.session == NULL ? HAWSER_ERR_STATE : HAWSER_OK;
  while (err == HAWSER_OK && len > 0) {
    size_t used = 0;
    err = hawser_receive(g.session, bytes, len, &used, e.now);
    bytes += used;
    len -= used;
    err = err == HAWSER_OK ? gateway_events(g.session) : err;
  }
  return err;
}

/* Control records of both ends, and the datum if it is the session's turn. */
static int talk(void) {
  uint8_t out[FRAME], datum[DATUM];
  size_t len = 0, back = 0, taken = 0;
  int fin_taken = 0, err = HAWSER_OK;
  do {
    err = powered() ? hawser_device_send(&e.device, out, sizeof out, &len, e.now) : HAWSER_ERR_CLOSED;
    if (err == HAWSER_OK && len == 0 && w.open && !w.sent) {
      put_datum(datum, w.datum);
      err =
          hawser_write(&e.device.session, w.stream, datum, DATUM, 0, out, sizeof out, &len, &taken, &fin_taken, e.now);
      w.sent = taken == DATUM;
    }
    err = err == HAWSER_OK && len > 0 && !arrives() ? HAWSER_ERR_CLOSED : err;
    err = err == HAWSER_OK ? to_gateway(out, len) : err;
    err = err == HAWSER_OK ? hawser_send(g.session, out, sizeof out, &back, e.now) : err;
    err = err == HAWSER_OK ? to_device(out, back) : err;
  } while (err == HAWSER_OK && len + back > 0);
  return err;
}

static void record_message1(const uint8_t *bytes, size_t len) {
  size_t at = w.recorded++ % RING;
  memcpy(w.frames[at], bytes, len);
  w.lens[at] = len;
}

/* What has to be written for the answer at hand: a full handshake's chain, or the block after one that flash held. After a full
 * handshake RAM stands at (0, 0), and flash at block 1 already. */
static int is_block_start(void) {
  return g.live.full || (g.live.q.i == 0 && (now->mode == HAWSER_TICKET || g.live.q.b > 0));
}

/* One attempt to connect; HAWSER_OK: live. */
static int attempt(void) {
  uint8_t m1[FRAME], m2[256], first[FRAME], datum[DATUM];
  hawser_early early = {w.stream, datum, DATUM, 0, 0};
  size_t m1_len = 0, m2_len = 0, len = 0;
  int taken = 0, err;
  put_datum(datum, w.datum);
  err = powered() ? hawser_connect(&e.device, now->transport, w.open && !w.sent ? &early : NULL, &taken, e.now)
                  : HAWSER_ERR_CLOSED;
  w.sent |= taken;
  err = err == HAWSER_OK ? hawser_device_send(&e.device, m1, sizeof m1, &m1_len, e.now) : err;
  if (err == HAWSER_OK) {
    check_slots();
    record_message1(m1, m1_len);
  }
  err = err == HAWSER_OK && (!powered() || !arrives()) ? HAWSER_ERR_CLOSED : err;
  err = err == HAWSER_OK ? gateway_message1(&g.live, m1, m1_len, m2, sizeof m2, &m2_len) : err;
  err = err == HAWSER_OK && (!powered() || !arrives()) ? HAWSER_ERR_CLOSED : err;
  if (err == HAWSER_OK) {
    w.starts += (unsigned)is_block_start();
    n.handshakes++;
    err = to_device(m2, m2_len);
  }
  err = err == HAWSER_OK ? hawser_device_send(&e.device, first, sizeof first, &len, e.now) : err;
  if (err != HAWSER_OK) {
    return err;
  }
  check_flash();
  if (!powered() || !arrives()) {
    return HAWSER_ERR_CLOSED;
  }
  err = gateway_first_record(&g.live, first, len);
  return err == HAWSER_OK ? talk() : err;
}

static void hang_up(void) {
  hawser_disconnected(&e.device, e.now);
  CHECK(flash.off || device_events() == HAWSER_OK);
  g.live.held = 0;
  if (g.session != NULL) {
    hawser_link_down(g.session);
  }
}

/* Tries as a device does. Nothing but a cut, a lost link or a failing flash may keep it from getting live. */
static int climb(void) {
  for (int tries = 0; tries < TRIES; tries++) {
    w.disturbed = 0;
    if (attempt() == HAWSER_OK) {
      n.live++;
      return 1;
    }
    hang_up();
    if (flash.off) {
      return 0;
    }
    tries -= w.disturbed;
    e.now += HAWSER_WARM_PATIENCE_MS;
  }
  return 0;
}

/* ---- power cycles ---- */

static int boot(void) {
  for (;;) {
    ends_start_device(&e);
    if (flash_slots_boot(&flash, &e.device) || flash.off) {
      return !flash.off;
    }
  }
}

static int boots_badly(void) {
  uint8_t slots[2][HAWSER_SLOT_LEN];
  int wipe;
  ends_start_device(&e);
  CHECK(flash_read(&flash, 0, 0, slots[0], HAWSER_SLOT_LEN) == FLASH_OK);
  CHECK(flash_read(&flash, 1, 0, slots[1], HAWSER_SLOT_LEN) == FLASH_OK);
  CHECK(hawser_device_boot(&e.device, slots[0], slots[1], &wipe) == HAWSER_OK);
  return 1;
}

static void open_datum(void) {
  w.open = hawser_open(&e.device, "d", HAWSER_KIND_STREAM, &w.stream) == HAWSER_OK;
  CHECK(w.open);
  w.sent = 0;
  w.verdict = -1;
}

/* RAM with its keys as it was a record ago, and a device that says something else under them. */
static void keep_keys(void) {
  hawser_device kept = e.device;
  hawser_stream streams[ENDS_STREAMS];
  uint8_t out[FRAME];
  size_t len = 0;
  memcpy(streams, e.device_streams, sizeof streams);
  CHECK(hawser_ping(&e.device.session, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len, e.now) == HAWSER_OK && len > 0);
  e.device = kept;
  memcpy(e.device_streams, streams, sizeof streams);
  CHECK(hawser_close(&e.device.session, HAWSER_DONE) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len, e.now) == HAWSER_OK && len > 0);
}

/* From one cut to the next. 0: this device's life is over. */
static int cycle(void) {
  uint32_t links = 1 + roll(3);
  int alive = 1;
  flash_power_on(&flash);
  flash.cut_in = 1 + roll(40);
  w.datum++;
  if (now->rollback && roll(64) == 0) {
    memcpy(flash.bytes, w.old, sizeof w.old);
    flash_power_on(&flash);
  } else if (now->rollback && roll(32) == 0) {
    memcpy(w.old, flash.bytes, sizeof w.old);
  }
  if (now->device_fault == BOOT_KEEPS_SLOT ? boots_badly() : boot()) {
    open_datum();
    if (now->device_fault == WRITES_AT_BOOT) {
      (void)flash_slots_store(&flash, 1, w.old[0]);
    }
    while (!flash.off && links-- > 0 && alive) {
      alive = climb() || flash.off;
      if (alive && !flash.off && now->device_fault == KEEPS_KEYS) {
        keep_keys();
      }
      hang_up();
    }
  }
  if (!alive) {
    n.refused += now->rollback && now->mode == HAWSER_TICKET;
    n.locked_out += !(now->rollback && now->mode == HAWSER_TICKET);
  }
  flash_power_cut(&flash);
  hawser_device_wipe(&e.device);
  n.cycles++;
  n.stores += w.stores;
  n.writes_wrong += w.stores != w.starts || words_written() != w.words;
  w.stores = w.starts = 0;
  w.words = words_written();
  return alive;
}

/* One pairing after another, each until its table of seals or its numbers are used up. */
static void life(unsigned long cuts) {
  memset(&w, 0, sizeof w);
  memset(w.old, 0xff, sizeof w.old);
  seals_forget();
  ends_init(&e, now->mode, now->suite, now->transport);
  gateway_start(&e, now->gateway_fault, on_datum);
  flash_init(&flash, g_random);
  flash.cached = now->cached;
  flash.faults = now->faults;
  while (n.cycles < cuts && w.datum < LIFE - 2 && !seals_full() && cycle()) {
  }
  n.nonces_reused += seals_reused;
  seals_reused = 0;
  ends_free(&e);
}

static counts run(const campaign *c, unsigned long cuts) {
  memset(&n, 0, sizeof n);
  now = c;
  while (n.cycles < cuts) {
    life(cuts);
  }
  return n;
}

/* ---- campaigns ---- */

#define TICKET HAWSER_TICKET, HAWSER_SUITE_NONE
#define SOUND DEVICE_SOUND, GATEWAY_SOUND

static const campaign campaigns[] = {
    {"ticket", TICKET, HAWSER_STREAM, 0, 0, SOUND, {0, 0}, 8},
    {"ticket, serial line", TICKET, HAWSER_SERIAL, 0, 0, SOUND, {0, 0}, 2},
    {"ticket, cached flash", TICKET, HAWSER_STREAM, 1, 0, SOUND, {0, 0}, 4},
    {"ticket, failing flash", TICKET, HAWSER_STREAM, 0, 0, SOUND, {40, 40}, 4},
    {"ticket, old images", TICKET, HAWSER_STREAM, 1, 1, SOUND, {200, 200}, 4},
    {"psk, old images", HAWSER_PSK, HAWSER_SUITE_ID_25519, HAWSER_STREAM, 1, 1, SOUND, {200, 200}, 2},
    {"keys P-256, old images", HAWSER_KEYS, HAWSER_SUITE_ID_P256, HAWSER_STREAM, 1, 1, SOUND, {200, 200}, 1},
};
#define CAMPAIGNS (sizeof campaigns / sizeof campaigns[0])
#define SHARES 25

static unsigned long broken_promises(const counts *c) {
  return c->locked_out + c->handed_twice + c->false_verdicts + c->not_wiped + c->writes_wrong + c->nonces_reused;
}

static void report(const campaign *c, const counts *r) {
  printf(
      "%-22s %8lu cuts, %lu inside a flash write, %lu between; %lu handshakes, %lu sessions, %lu images, %lu refused\n",
      c->name, r->cycles, r->cuts_in_flash, r->cuts_elsewhere, r->handshakes, r->live, r->stores, r->refused);
  if (broken_promises(r) > 0) {
    printf("  BROKEN: %lu locked out, %lu handed twice, %lu false verdicts, %lu not wiped, %lu writes wrong, %lu "
           "nonces reused\n",
           r->locked_out, r->handed_twice, r->false_verdicts, r->not_wiped, r->writes_wrong, r->nonces_reused);
  }
}

static void sound(const campaign *c, unsigned long cuts) {
  counts r = run(c, cuts);
  report(c, &r);
  CHECK(broken_promises(&r) == 0);
  CHECK(r.cuts_in_flash > cuts / 10 && r.cuts_elsewhere > cuts / 5 && r.live > cuts / 2 && r.stores > cuts / 2);
  CHECK((r.refused > 0) == (c->rollback && c->mode == HAWSER_TICKET));
}

/* ---- seeded faults: each breaks its promise ---- */

#define SEEDED 50000 /* cuts at most until it shows */

static int breaks(const unsigned long *promise, uint8_t device_fault, uint8_t gateway_fault, uint8_t cached,
                  uint32_t silent) {
  campaign c = {"", TICKET, HAWSER_STREAM, cached, 0, device_fault, gateway_fault, {0, silent}, 0};
  g_random = 1;
  memset(&n, 0, sizeof n);
  now = &c;
  while (n.cycles < SEEDED && *promise == 0) {
    life(n.cycles + 100);
  }
  return *promise > 0;
}

static void seeded(void) {
  CHECK(breaks(&n.locked_out, WRITES_LATE, GATEWAY_SOUND, 0, 0));
  CHECK(breaks(&n.locked_out, WIPES_FIRST, GATEWAY_SOUND, 0, 0));
  CHECK(breaks(&n.locked_out, WRITES_OVER, GATEWAY_SOUND, 0, 0));
  CHECK(breaks(&n.locked_out, SAYS_NOT_STORED, GATEWAY_SOUND, 0, 40));
  CHECK(breaks(&n.locked_out, NO_READ_BACK, GATEWAY_SOUND, 0, 40));
  CHECK(breaks(&n.locked_out, NO_SYNC, GATEWAY_SOUND, 1, 0));
  CHECK(breaks(&n.not_wiped, NO_WIPE, GATEWAY_SOUND, 0, 0));
  CHECK(breaks(&n.not_wiped, BOOT_KEEPS_SLOT, GATEWAY_SOUND, 0, 0));
  CHECK(breaks(&n.writes_wrong, WRITES_AT_BOOT, GATEWAY_SOUND, 0, 0));
  CHECK(breaks(&n.nonces_reused, KEEPS_KEYS, GATEWAY_SOUND, 0, 0));
  CHECK(breaks(&n.handed_twice, DEVICE_SOUND, GATEWAY_FORGETS_CLAIMS, 0, 0));
  CHECK(breaks(&n.handed_twice, DEVICE_SOUND, GATEWAY_LOSES_CLAIMS, 0, 0));
  CHECK(breaks(&n.false_verdicts, DEVICE_SOUND, GATEWAY_REFUSES_UNSURE, 0, 0));
}

int main(int argc, char **argv) {
  unsigned long cuts = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
  seeded();
  g_random = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  for (size_t i = 0; i < CAMPAIGNS && check_failed == 0; i++) {
    sound(&campaigns[i], cuts * campaigns[i].share / SHARES);
  }
  return check_done();
}
