/*
 * fields.c - one frame of SPEC 9 out of any bytes.
 */
#include "frames.h"

#include "proof.h"

void reads_fields(void) {
  size_t len = up_to(LEN);
  const uint8_t *bytes = any_bytes(len);
  hawser_reader r = {bytes, len, 0};
  hawser_fields f;
  int err = hawser_fields_read(&r, &f);
  PROVE(err == HAWSER_OK || err == HAWSER_ERR_PEER, "no other error");
  PROVE(r.left <= len && r.at == bytes + (len - r.left), "what is left is the end of it");
  if (err != HAWSER_OK) {
    return;
  }
  PROVE(!r.bad && r.left < len, "a whole frame");
  PROVE(f.len == 0 || (f.bytes > bytes && f.bytes + f.len == r.at), "its bytes are the last ones that were read");
  PROVE(f.id <= UINT16_MAX && f.number <= UINT32_MAX && f.byte <= UINT8_MAX, "integers of their width");
  PROVE(f.tx <= HAWSER_OFFSET_MAX && f.rx <= HAWSER_OFFSET_MAX && f.ack <= HAWSER_OFFSET_MAX, "offsets of theirs");
  PROVE(f.code != HAWSER_FRAME_OPEN || (f.number != 0 && f.len <= UINT8_MAX), "an OPEN with a serial");
  PROVE(f.code != HAWSER_FRAME_DATA || r.left == 0, "DATA to the end");
  REACHES(f.code == HAWSER_FRAME_OPEN && f.len == 32, "an OPEN with a name");
  REACHES(f.code == HAWSER_FRAME_STREAM && f.ack > 1, "a STREAM");
  REACHES(f.code == HAWSER_FRAME_DATA && f.len > 9, "DATA");
  REACHES(f.code == HAWSER_FRAME_CLOSE, "a CLOSE");
}
