#pragma once

#include <optional>
#include <utility>

#include "crypto/asymmetric_key.h"

namespace dare::engine {

// A key pair that was generated for one request before the writer takes it (draft.h), because that
// takes its time: up to a second or two. It is for that request alone, whose draft and whose answer
// are never both carried out.
class PreparedPair {
 public:
  void Put(const crypto::KeySpecification& specification, crypto::PrivateKey key) {
    specification_ = specification;
    key_ = std::move(key);
  }
  // Nothing where none was made, or another kind.
  std::optional<crypto::PrivateKey> Find(const crypto::KeySpecification& wanted) const {
    return wanted == specification_ ? key_ : std::nullopt;
  }

 private:
  crypto::KeySpecification specification_;
  std::optional<crypto::PrivateKey> key_;
};

}  // namespace dare::engine
