#pragma once

#include "base/result.h"

namespace dare::kmip {
struct NotifyRequest;
struct PutRequest;
}  // namespace dare::kmip

namespace dare::client {

// An Ear is told what key servers tell a client that listens (listener.h). Called by one thread,
// one call at a time; it must be quick, and outlives who calls it.
class Ear {
 public:
  virtual ~Ear() = default;

  // From now on changes are told. What is known from before may have changed unheard.
  virtual void OnHearing() = 0;
  // They are not, until OnHearing. `refused`: a key server said that it does not want us.
  virtual void OnDeaf(bool refused) = 0;
  // Before the server hears that it was told.
  virtual void OnNotify(const kmip::NotifyRequest& told) = 0;
  // Something was told that could not be read: any object may have changed.
  virtual void OnUnclear() = 0;

  // Whether it wants objects that it did not ask for; only then they are put to it.
  virtual bool takes_objects() const { return false; }
  // Borrowed, with key material. An error is the answer.
  virtual Result<void> OnPut(const kmip::PutRequest& /*put*/) {
    return Error(Code::kUnsupported, "no objects are taken");
  }
};

}  // namespace dare::client
