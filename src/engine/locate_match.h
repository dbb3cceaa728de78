#pragma once

#include <cstdint>

#include "base/result.h"
#include "kmip/attributes.h"
#include "kmip/enums.h"
#include "kmip/payloads/locate.h"

namespace dare::engine {

// What a Locate request asks of one candidate (kmip-2.1 6.1.28; kmip-1.4 4.9): every given
// attribute must match. One date: equal; two of a kind: inside or at the limits. Usage masks: at
// least the given bits; Usage Limits: at least the given numbers; structures: only the given
// fields; everything else: equal to one of the instances.
class LocateMatch {
 public:
  // Borrows `request`, which must outlive it. Invalid Field for more than two values of one date.
  static Result<LocateMatch> Of(const kmip::LocateRequest& request);

  bool Matches(const kmip::AttributeSet& candidate, std::int64_t now) const;
  // Objects that were destroyed are asked for too.
  bool wants_destroyed() const;

 private:
  explicit LocateMatch(const kmip::LocateRequest& request) : request_(request) {}
  bool StorageMatches(const kmip::AttributeSet& candidate, kmip::State state) const;
  bool MatchesDate(const kmip::Attribute& wanted, const kmip::AttributeSet& candidate) const;
  bool MatchesOne(const kmip::Attribute& wanted, const kmip::AttributeSet& candidate,
                  kmip::State state) const;

  const kmip::LocateRequest& request_;
};

}  // namespace dare::engine
