#include "session.h"

namespace hawser_node {

int session_digest(const hawser_session *session, hawser_bytes more, uint8_t out[HAWSER_HASH_LEN]) {
  hawser_session copy = *session;
  copy.pairing = nullptr;
  copy.streams = nullptr;
  copy.rx = nullptr;
  copy.frames = nullptr;
  std::vector<hawser_stream> streams(session->streams, session->streams + session->stream_count);
  for (hawser_stream &stream : streams) {
    stream.name = nullptr;
  }
  const hawser_bytes parts[] = {
      {reinterpret_cast<const uint8_t *>(&copy), sizeof copy},
      {reinterpret_cast<const uint8_t *>(streams.data()), streams.size() * sizeof(hawser_stream)},
      {session->rx, session->rx_len},
      {session->frames, session->frames_len},
      more,
  };
  int error = hawser_port_sha256(out, parts, sizeof parts / sizeof parts[0]);
  hawser_port_wipe(&copy, sizeof copy);
  return error;
}

int write_handshake(const hawser_handshake_info &info, Scratch &scratch) {
  scratch.header[0] = info.kind;
  scratch.header[1] = info.sent;
  scratch.header[2] = info.received;
  scratch.header[3] = info.ecdh;
  scratch.header[4] = info.verdict;
  return info.kind == 0 ? 0 : 1;
}

} // namespace hawser_node
