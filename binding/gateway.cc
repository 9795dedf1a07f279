#include "gateway.h"

namespace hawser_node {

const napi_type_tag Gateway::k_tag = type_tag(3);

Napi::Function Gateway::define(Napi::Env env) {
  std::vector<Method> methods = verbs();
  methods.insert(methods.end(), {answers<&Gateway::init>("init"), answers<&Gateway::early>("early"),
                                 answers<&Gateway::attach>("attach")});
  return DefineClass(env, "Gateway", methods);
}

double Gateway::init(Args &args) {
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

int Gateway::set_up(uint16_t streams, std::shared_ptr<Pairing> pairing) {
  constexpr size_t rx_cap = HAWSER_RX_LEN(HAWSER_RECORD_MAX);
  size_t len = sizeof(hawser_session) + streams * sizeof(hawser_stream) + rx_cap + alignof(std::max_align_t);
  auto memory = Memory::make(Env(), len);
  if (!memory) {
    return HAWSER_ERR_LIMIT;
  }
  session_ = memory->take<hawser_session>();
  auto *table = memory->take<hawser_stream>(streams);
  auto *rx = memory->take<uint8_t>(rx_cap);
  int error = hawser_session_init(session_, pairing->core(), table, streams, rx, rx_cap);
  if (error != HAWSER_OK) {
    return error;
  }
  memory_ = std::move(memory);
  pairing_ = std::move(pairing);
  return 0;
}

hawser_accept *Gateway::core_of(Accept *accept, const Args &args, int *error) {
  *error = fresh(args);
  if (*error == 0 && accept->core() == nullptr) {
    *error = HAWSER_ERR_STATE;
  }
  return *error == 0 ? accept->core() : nullptr;
}

double Gateway::early(Args &args) {
  Accept *accept = Accept::from(args);
  int error = 0;
  hawser_accept *core = core_of(accept, args, &error);
  if (error == 0) {
    error = hawser_session_early(session_, core, accept->now());
  }
  return error == 0 ? drained() : error;
}

double Gateway::attach(Args &args) {
  Accept *accept = Accept::from(args);
  bool continued = args.boolean();
  uint64_t now = args.milliseconds();
  int error = 0;
  hawser_accept *core = core_of(accept, args, &error);
  if (error == 0) {
    error = hawser_session_attach(session_, core, continued, now);
  }
  return error == 0 ? drained() : error;
}

} // namespace hawser_node
