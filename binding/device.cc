#include "device.h"

namespace hawser_node {

const napi_type_tag Device::k_tag = type_tag(2);

Napi::Function Device::define(Napi::Env env) {
  std::vector<Method> methods = verbs();
  methods.insert(methods.end(),
                 {answers<&Device::init>("init"), answers<&Device::boot>("boot"), answers<&Device::connect>("connect"),
                  answers<&Device::disconnected>("disconnected"), answers<&Device::stored>("stored"),
                  answers<&Device::open>("open"), answers<&Device::save>("save"), answers<&Device::restore>("restore"),
                  answers<&Device::name_stream>("nameStream"), answers<&Device::handshake>("handshake")});
  return DefineClass(env, "Device", methods);
}

double Device::init(Args &args) {
  uint64_t streams = args.integer(k_streams_max);
  keylog_ = args.boolean();
  int error = 0;
  auto pairing = Pairing::read(args, &error);
  if (error != 0) {
    return error;
  }
  if (streams == 0) {
    return bad_argument(0);
  }
  return ready() ? HAWSER_ERR_STATE : set_up(static_cast<uint16_t>(streams), std::move(pairing));
}

int Device::set_up(uint16_t streams, std::shared_ptr<Pairing> pairing) {
  size_t rx_cap = HAWSER_RX_LEN(static_cast<size_t>(pairing->core()->record_max));
  size_t len = sizeof(hawser_device) + streams * sizeof(hawser_stream) + rx_cap + HAWSER_MESSAGE1_MAX +
               (streams + size_t{1}) * k_name_cap + alignof(std::max_align_t);
  auto memory = Memory::make(Env(), len);
  if (!memory) {
    return HAWSER_ERR_LIMIT;
  }
  device_ = memory->take<hawser_device>();
  auto *table = memory->take<hawser_stream>(streams);
  auto *rx = memory->take<uint8_t>(rx_cap);
  auto *message1 = memory->take<uint8_t>(HAWSER_MESSAGE1_MAX);
  names_ = memory->take<char>((streams + size_t{1}) * k_name_cap);
  int error = hawser_device_init(device_, pairing->core(), table, streams, rx, rx_cap, message1, HAWSER_MESSAGE1_MAX);
  if (error != HAWSER_OK) {
    return error;
  }
  session_ = hawser_device_session(device_);
  memory_ = std::move(memory);
  pairing_ = std::move(pairing);
  return 0;
}

double Device::boot(Args &args) {
  Bytes slot0 = args.optional_bytes(HAWSER_SLOT_LEN, HAWSER_SLOT_LEN);
  Bytes slot1 = args.optional_bytes(HAWSER_SLOT_LEN, HAWSER_SLOT_LEN);
  int error = refused(args);
  int wipe = -1;
  if (error == 0) {
    error = hawser_device_boot(device_, slot0.data, slot1.data, &wipe);
  }
  return error == 0 ? wipe + 1 : error;
}

double Device::connect(Args &args) {
  uint8_t transport = static_cast<uint8_t>(args.integer(UINT8_MAX));
  uint64_t now = args.milliseconds();
  hawser_early early{};
  early.stream = static_cast<uint16_t>(args.integer(UINT16_MAX));
  bool given = !args.skip_undefined();
  Bytes data = given ? args.bytes(0) : Bytes{};
  early.data = data.data;
  early.len = data.len;
  early.fin = args.boolean();
  early.idempotent = args.boolean();
  int error = refused(args);
  int taken = 0;
  if (error == 0) {
    error = hawser_connect(device_, transport, given ? &early : nullptr, &taken, now);
  }
  if (error != 0) {
    return error;
  }
  return (taken ? 1 : 0) + (device_->kind == HAWSER_RESUMPTION ? 2 : 0);
}

double Device::disconnected(Args &args) {
  uint64_t now = args.milliseconds();
  int error = refused(args);
  if (error == 0) {
    hawser_disconnected(device_, now);
  }
  return error;
}

double Device::stored(Args &args) {
  bool ok = args.boolean();
  int error = refused(args);
  if (error == 0) {
    error = hawser_stored(device_, ok);
  }
  return !ok && error == HAWSER_ERR_STORAGE ? 0 : error; /* what the caller has just said */
}

double Device::open(Args &args) {
  std::string name = args.ascii(1, HAWSER_UPSTREAM_MAX);
  uint8_t kind = static_cast<uint8_t>(args.integer(HAWSER_KIND_MESSAGES));
  if (int error = refused(args)) {
    return error;
  }
  char *spare = name_of(session_->stream_count);
  std::memcpy(spare, name.c_str(), name.size() + 1);
  uint16_t stream = 0;
  int error = hawser_open(device_, spare, kind, &stream);
  if (error != HAWSER_OK) {
    return error;
  }
  std::memcpy(name_of(stream), spare, k_name_cap);
  error = hawser_name(device_, stream, name_of(stream));
  return error == HAWSER_OK ? stream : error;
}

double Device::save(Args &args) {
  uint8_t kind = static_cast<uint8_t>(args.integer(UINT8_MAX));
  Bytes blob = args.bytes(HAWSER_SAVE_MAX, HAWSER_SAVE_MAX);
  int error = refused(args);
  size_t len = 0;
  if (error == 0) {
    error = hawser_save(device_, kind, blob.data, &len);
  }
  return error == 0 ? static_cast<double>(len) : error;
}

double Device::restore(Args &args) {
  Bytes blob = args.bytes(0);
  int error = refused(args);
  return error == 0 ? hawser_restore(device_, blob.data, blob.len) : error;
}

double Device::name_stream(Args &args) {
  uint64_t stream = args.integer(UINT16_MAX);
  std::string name = args.ascii(1, HAWSER_UPSTREAM_MAX);
  if (int error = refused(args)) {
    return error;
  }
  if (stream >= session_->stream_count) {
    return HAWSER_ERR_ARG;
  }
  char old[k_name_cap];
  std::memcpy(old, name_of(stream), k_name_cap);
  std::memcpy(name_of(stream), name.c_str(), name.size() + 1);
  int error = hawser_name(device_, static_cast<uint16_t>(stream), name_of(stream));
  if (error != HAWSER_OK) {
    std::memcpy(name_of(stream), old, k_name_cap);
  }
  return error;
}

double Device::handshake(Args &args) {
  if (int error = refused(args)) {
    return error;
  }
  hawser_handshake_info info{};
  hawser_device_handshake(device_, &info);
  return write_handshake(info, scratch());
}

int Device::core_digest(uint8_t out[HAWSER_HASH_LEN]) {
  uint8_t inner[HAWSER_HASH_LEN];
  hawser_device copy = *device_;
  copy.session = hawser_session{};
  copy.message1 = nullptr;
  const hawser_bytes parts[] = {
      {reinterpret_cast<const uint8_t *>(&copy), sizeof copy},
      {device_->message1, device_->message1_len},
      {reinterpret_cast<const uint8_t *>(names_), session_->stream_count * k_name_cap},
  };
  int error = hawser_port_sha256(inner, parts, 3);
  hawser_port_wipe(&copy, sizeof copy);
  return error == HAWSER_OK ? session_digest(session_, {inner, sizeof inner}, out) : error;
}

} // namespace hawser_node
