/*
 * main.c - the meter: boots, or wakes; keeps a link to the gateway; takes readings, publishes them, obeys commands; sleeps.
 */
#include <string.h>

#include "app/device.h"
#include "app/store.h"
#include "drivers/board.h"
#include "drivers/console.h"
#include "drivers/memory.h"
#include "drivers/meter.h"

#define RETRY_MS 100
#define RETRY_MAX_MS 4000

__attribute__((section(".retained"))) retained g_retained;

static device *const me = &g_retained.device;
static hawser_pairing
    pairing; /* from flash at each start: its secrets are the crypto port's, which deep sleep empties */
static char name[MQTT_NAME_MAX + 1];
static uint64_t started_ms; /* of the device's time, when the board's began */

static uint64_t now_ms(void) {
  me->now_ms = started_ms + board_now_ms();
  return me->now_ms;
}

static hawser_session *session(void) {
  return hawser_device_session(&me->hawser);
}

/* ---- readings ---- */

static void settle(reading *r, enum journal_outcome outcome) {
  const char *what = outcome == JOURNAL_DELIVERED ? "delivered" : "unknown";
  console_line(journal_settle(r->number, outcome) ? what : "journal failed", r->number);
  memset(r, 0, sizeof *r);
}

/* The stream is gone: what may have gone with it has an unknown fate, the rest goes into the next. */
static void readings_lost(void) {
  for (size_t i = 0; i < JOURNAL_OPEN_MAX; i++) {
    reading *r = &me->readings[i];
    if (r->number != 0 && r->end != 0 && r->begin < me->reached) {
      settle(r, JOURNAL_UNKNOWN);
    }
    r->end = 0;
  }
}

static uint16_t packet_id(uint32_t number) {
  return (uint16_t)(number % 0xfffe + 1);
}

static void readings_acked(uint16_t id) {
  for (size_t i = 0; i < JOURNAL_OPEN_MAX; i++) {
    reading *r = &me->readings[i];
    if (r->number != 0 && r->end != 0 && packet_id(r->number) == id) {
      settle(r, JOURNAL_DELIVERED);
    }
  }
}

/* A number, in flash before anything of the reading is sent. */
static void readings_take(void) {
  for (size_t i = 0; i < JOURNAL_OPEN_MAX && me->sleep == AWAKE && me->taken < meter_ticks(); i++) {
    reading *r = &me->readings[i];
    if (r->number == 0) {
      r->number = journal_begin();
      r->end = 0;
      me->taken++;
      console_line(r->number != 0 ? "begun" : "journal failed", r->number);
    }
  }
}

static int readings_open(void) {
  int open = 0;
  for (size_t i = 0; i < JOURNAL_OPEN_MAX; i++) {
    open += me->readings[i].number != 0;
  }
  return open;
}

/* ---- the stream ---- */

static void write_readings(void) {
  for (size_t i = 0; i < JOURNAL_OPEN_MAX; i++) {
    reading *r = &me->readings[i];
    if (r->number != 0 && r->end == 0 && me->len + MQTT_PUBLISH_MAX <= RING) {
      r->begin = me->first + me->len;
      me->len += (uint32_t)mqtt_publish(me->bytes + me->len, name, packet_id(r->number), r->number);
      r->end = me->first + me->len;
    }
  }
}

static void open_stream(void) {
  if (hawser_open(&me->hawser, "mqtt", HAWSER_KIND_STREAM, &me->stream) != HAWSER_OK) {
    return; /* its id is free only when the end of the one before is agreed */
  }
  me->open = 1;
  me->connected = 0;
  me->first = me->reached = 0;
  me->sent = 0;
  me->len = (uint32_t)mqtt_open(me->bytes, name);
  memset(&me->reader, 0, sizeof me->reader);
}

static void forget(uint64_t offset) {
  uint32_t gone = (uint32_t)(offset - me->first);
  memmove(me->bytes, me->bytes + gone, me->len - gone);
  me->first = offset;
  me->len -= gone;
  me->sent = me->sent > gone ? me->sent - gone : 0;
}

/* ---- commands ---- */

static uint32_t number_in(const char *text) {
  uint32_t n = 0;
  for (; *text >= '0' && *text <= '9'; text++) {
    n = n * 10 + (uint32_t)(*text - '0');
  }
  return n;
}

static int begins(const char *text, const char *word) {
  return strncmp(text, word, strlen(word)) == 0;
}

static void obey(const char *text) {
  if (begins(text, "lamp ")) {
    lamp_set(number_in(text + 5));
    console_line("lamp", number_in(text + 5));
  } else if (begins(text, "retained ")) {
    me->sleep_ms = number_in(text + 9);
    me->sleep = RETAINED;
  } else if (begins(text, "flash ")) {
    me->sleep_ms = number_in(text + 6);
    me->sleep = FLASH;
  } else if (begins(text, "report")) {
    console_line("stack peak", board_stack_peak());
    console_line("arena peak", (uint32_t)memory_peak());
  }
}

static int take_bytes(const hawser_event *e) {
  const char *text;
  uint16_t id;
  for (size_t i = 0; i < e->len; i++) {
    switch (mqtt_take(&me->reader, e->data[i], &id, &text)) {
    case MQTT_CONNECTED:
      me->connected = 1;
      break;
    case MQTT_ACKED:
      readings_acked(id);
      break;
    case MQTT_COMMAND:
      obey(text);
      break;
    case MQTT_BROKEN:
      return hawser_reset(session(), me->stream, HAWSER_CANCELLED);
    default:
      break;
    }
  }
  return hawser_consume(session(), e->stream, e->len);
}

/* ---- events ---- */

static void take_verdict(uint32_t verdict) {
  static const char *const names[] = {"", "taken", "not taken", "verdict unknown"};
  console_line(names[verdict], 0);
  if (verdict == HAWSER_TAKEN) {
    me->sent = me->early; /* the stream stands behind it */
  } else if (verdict == HAWSER_NOT_TAKEN) {
    me->reached = me->first; /* early data goes only when nothing else was in flight */
  }
}

static void take_event(const hawser_event *e, int *err) {
  switch (e->type) {
  case HAWSER_EV_STORE:
    *err = hawser_stored(&me->hawser, store_slot((unsigned)e->value, e->data));
    console_line(*err == HAWSER_OK ? "stored" : "not stored", 0);
    break;
  case HAWSER_EV_LIVE: {
    hawser_handshake_info info;
    hawser_device_handshake(&me->hawser, &info);
    console_line(info.kind == HAWSER_FULL ? "full" : "resumption", e->value);
    me->failures = 0;
    break;
  }
  case HAWSER_EV_VERDICT:
    take_verdict(e->value);
    break;
  case HAWSER_EV_DATA:
    *err = take_bytes(e);
    break;
  case HAWSER_EV_ACKED:
    forget(e->offset);
    break;
  case HAWSER_EV_REWIND:
    me->sent = (uint32_t)(e->offset - me->first);
    break;
  case HAWSER_EV_FIN:
    *err = hawser_reset(session(), me->stream, HAWSER_DONE);
    break;
  case HAWSER_EV_CLOSED:
    console_line("stream closed", e->value);
    me->open = 0;
    readings_lost();
    break;
  case HAWSER_EV_DEAD:
  case HAWSER_EV_CLOSE:
    *err = HAWSER_ERR_CLOSED;
    break;
  default:
    break;
  }
}

static int take_events(void) {
  hawser_event e;
  int err = hawser_device_next(&me->hawser, &e);
  while (err == HAWSER_OK && e.type != HAWSER_EV_NONE) {
    take_event(&e, &err);
    if (err == HAWSER_OK) {
      err = hawser_device_next(&me->hawser, &e);
    }
  }
  return err;
}

/* ---- the link ---- */

static void link_lost(int err) {
  uint64_t wait = RETRY_MS;
  console_line("link lost", (uint32_t)-err);
  hawser_disconnected(&me->hawser, now_ms());
  me->linked = 0;
  (void)take_events();
  for (uint32_t i = 0; i < me->failures && wait < RETRY_MAX_MS; i++) {
    wait *= 2;
  }
  me->failures++;
  me->retry_ms = now_ms() + wait;
}

/* The zero ends whatever half a frame the gateway may have of a link before this one. */
static void link_start(void) {
  static const uint8_t end_of_frame = 0;
  hawser_early early = {me->stream, me->bytes, me->len, 0, 0};
  int taken, err;
  if (!me->open) {
    open_stream();
  }
  write_readings();
  early.len = me->len < EARLY ? me->len : EARLY;
  err = hawser_connect(&me->hawser, HAWSER_SERIAL, me->open && me->len > 0 && me->sent == 0 ? &early : NULL, &taken,
                       now_ms());
  if (err != HAWSER_OK) {
    link_lost(err);
    return;
  }
  if (taken) {
    me->early = (uint32_t)early.len;
    me->reached = me->first + early.len > me->reached ? me->first + early.len : me->reached;
  }
  me->linked = 1;
  line_write(&end_of_frame, 1);
}

/* Whatever may be sent now. The buffer takes a message 1 with all the early data there can be, and the ring in one record. */
static int send_all(void) {
  uint8_t record[HAWSER_WRITE_LEN(RING)];
  size_t len, taken;
  int err, fin;
  do {
    err = hawser_device_send(&me->hawser, record, sizeof record, &len, now_ms());
    if (err == HAWSER_OK && len == 0 && me->open && me->sent < me->len) {
      err = hawser_write(session(), me->stream, me->bytes + me->sent, me->len - me->sent, 0, record, sizeof record,
                         &len, &taken, &fin, now_ms());
      me->sent += (uint32_t)taken;
      me->reached = me->first + me->sent > me->reached ? me->first + me->sent : me->reached;
    }
    line_write(record, len);
  } while (err == HAWSER_OK && len > 0);
  return err;
}

/* An answer is answered at once: bytes behind it may be of the link before this one, whose end the gateway learns with this
 * one's first record. They end the link, but then the session is there and goes on. */
static int receive(void) {
  uint8_t bytes[64];
  size_t used, at = 0, len = line_read(bytes, sizeof bytes);
  int err = HAWSER_OK;
  while (err == HAWSER_OK && at < len) {
    err = hawser_device_receive(&me->hawser, bytes + at, len - at, &used, now_ms());
    at += used;
    err = err == HAWSER_OK ? take_events() : err;
    err = err == HAWSER_OK ? send_all() : err;
  }
  return err;
}

static int serve(void) {
  int err = send_all();
  if (err == HAWSER_OK) {
    err = receive();
  }
  if (err == HAWSER_OK && now_ms() >= hawser_device_deadline(&me->hawser)) {
    err = hawser_device_timeout(&me->hawser, now_ms());
    err = err == HAWSER_OK ? take_events() : err;
  }
  return err == HAWSER_OK ? send_all() : err;
}

/* ---- deep sleep ---- */

static uint32_t check_of(const device *d) {
  const uint8_t *bytes = (const uint8_t *)d;
  uint32_t a = 1, b = 0;
  for (size_t i = 0; i < sizeof *d; i++) {
    a = (a + bytes[i]) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

/* The struct stays where it is, link and all. */
static void sleep_retained(void) {
  uint32_t ms = me->sleep_ms;
  me->sleep = AWAKE;
  me->taken = 0;
  console_line("sleeps retained", ms);
  me->now_ms = now_ms() + ms; /* the clock of a board with an RTC would go on by itself */
  g_retained.check = check_of(me);
  board_sleep(ms);
}

/* Only what hawser_save() says outlives this: so everything is settled before. */
static void sleep_flash(void) {
  uint8_t blob[HAWSER_SAVE_MAX], own[8];
  size_t len;
  if (readings_open() > 0 || me->len > 0 || !me->connected || me->reader.header != 0) {
    return;
  }
  hawser_disconnected(&me->hawser, now_ms());
  for (size_t i = 0; i < sizeof own; i++) {
    own[i] = (uint8_t)(me->first >> (8 * i));
  }
  console_line("sleeps flash", me->sleep_ms);
  if (hawser_save(&me->hawser, HAWSER_SAVE_FLASH, blob, &len) != HAWSER_OK || !store_save(blob, len, own)) {
    console_line("not saved", 0);
  }
  board_sleep(me->sleep_ms);
}

/* ---- start ---- */

static void told_unknown(uint32_t number) {
  console_line("unknown", number);
}

static void name_of(const hawser_pairing *p) {
  static const char digits[] = "0123456789abcdef";
  size_t at = 0;
  for (size_t i = 0; i < p->id_len && at + 2 <= MQTT_NAME_MAX; i++) {
    name[at++] = digits[p->id[i] >> 4];
    name[at++] = digits[p->id[i] & 15];
  }
  name[at] = '\0';
}

/* A stream that was saved in flash goes on, should the gateway still have the session. */
static void restore(void) {
  uint8_t blob[HAWSER_SAVE_MAX], own[8];
  size_t len = store_saved(blob, own);
  if (len == 0 || hawser_restore(&me->hawser, blob, len) != HAWSER_OK) {
    return;
  }
  if (hawser_name(&me->hawser, 0, "mqtt") == HAWSER_OK) {
    me->open = me->connected = 1;
    for (size_t i = sizeof own; i-- > 0;) {
      me->first = me->first << 8 | own[i];
    }
    me->reached = me->first;
  }
  console_line("restored", me->open);
}

static int boot(void) {
  memset(me, 0, sizeof *me);
  console_line("boots", 0);
  if (!journal_open(told_unknown) ||
      hawser_device_init(&me->hawser, &pairing, me->streams, 1, me->rx, sizeof me->rx, me->message1,
                         sizeof me->message1) != HAWSER_OK ||
      !store_boot(&me->hawser)) {
    return 0;
  }
  restore();
  return 1;
}

/* 1 if the struct is that of before deep sleep. It is good for one waking. */
static int wake(void) {
  int whole = g_retained.check == check_of(me) && g_retained.check != 0;
  g_retained.check = 0;
  if (whole) {
    started_ms = me->now_ms;
    console_line("wakes", 0);
    return journal_open(NULL);
  }
  return 0;
}

int main(void) {
  if (!store_pairing(&pairing)) {
    console_line("no pairing", 0);
    return 1;
  }
  name_of(&pairing);
  if (!wake() && !boot()) {
    console_line("does not boot", 0);
    return 1;
  }
  for (;;) {
    int err;
    readings_take();
    if (!me->linked && now_ms() >= me->retry_ms) {
      link_start();
    }
    if (!me->open && me->linked) {
      open_stream();
    }
    if (me->open) {
      write_readings();
    }
    err = me->linked ? serve() : HAWSER_OK;
    if (err != HAWSER_OK) {
      link_lost(err);
    }
    if (me->sleep == RETAINED) {
      sleep_retained();
    } else if (me->sleep == FLASH) {
      sleep_flash();
    }
    board_idle();
  }
}
