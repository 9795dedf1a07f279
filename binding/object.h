/*
 * object.h - a JavaScript object around a native one. V8 itself checks that a method's `this` is of its class.
 */
#ifndef HAWSER_BINDING_OBJECT_H
#define HAWSER_BINDING_OBJECT_H

#include <memory>

#include <napi.h>

#include "hawser/error.h"

#include "args.h"
#include "instance.h"

namespace hawser_node {

/* Marks this image's objects of one class: those of another port's addon are not ours. */
napi_type_tag type_tag(uint64_t number);

template <class T> class Object : public Napi::ObjectWrap<T> {
public:
  using Method = Napi::ClassPropertyDescriptor<T>;

  explicit Object(const Napi::CallbackInfo &info) : Napi::ObjectWrap<T>(info), instance_(Instance::of(info.Env())) {
    napi_type_tag_object(info.Env(), info.This(), &T::k_tag);
    instance_->live++;
  }
  ~Object() override {
    instance_->live--;
  }

  /* The object of a T in the next argument; NULL (and refused) for anything else. */
  static T *from(Args &args) {
    Napi::Value value = args.any();
    bool ours = false;
    T *object = nullptr;
    if (!value.IsObject() || napi_check_object_type_tag(value.Env(), value, &T::k_tag, &ours) != napi_ok || !ours ||
        napi_unwrap(value.Env(), value, reinterpret_cast<void **>(&object)) != napi_ok) {
      args.refuse();
      return nullptr;
    }
    return object;
  }

  /* A method that answers with one number: its result or, below 0, its error (args.h). */
  template <auto method> static Method answers(const char *name) {
    return descriptor(name, &invoke<method>);
  }

protected:
  Scratch &scratch() {
    return instance_->scratch;
  }
  Instance &instance() {
    return *instance_;
  }

private:
  template <auto method> static napi_value invoke(napi_env env, napi_callback_info raw) {
    Napi::CallbackInfo info(env, raw);
    T *object = nullptr;
    double result = HAWSER_ERR_STATE;
    if (napi_unwrap(env, info.This(), reinterpret_cast<void **>(&object)) == napi_ok) {
      Args args(info);
      result = (object->*method)(args);
    }
    napi_value value = nullptr;
    napi_create_double(env, result, &value);
    return value;
  }

  static Method descriptor(const char *name, napi_callback callback) {
    napi_property_descriptor property{};
    property.utf8name = name;
    property.method = callback;
    property.attributes = napi_default_method;
    return Method(property);
  }

  std::shared_ptr<Instance> instance_;
};

} // namespace hawser_node
#endif
