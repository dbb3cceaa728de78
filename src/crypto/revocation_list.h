#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// Certificate revocation lists of other authorities, read (RFC 5280, section 5). Ours are made by
// crl_builder.h.
namespace dare::crypto {

// SerialNumbers are what a list revokes, as it and the certificates write them: the content of the
// INTEGER. Sorted, 22 bytes each, so that a list of a million costs 22 MB and a look-up 20 steps.
class SerialNumbers {
 public:
  //= rfc5280 4.1.2.2
  //# Certificate users MUST be able to handle serialNumber values up to 20 octets.
  // And authorities that make 20 random ones forget the one for the sign.
  static constexpr std::size_t kLongest = 21;

  // False for one that is empty or longer than that: then it is not added.
  bool Add(ByteView serial);
  // After the last Add, before the first Contains.
  void Sort();
  bool Contains(ByteView serial) const;
  std::size_t size() const { return numbers_.size(); }
  friend bool operator==(const SerialNumbers&, const SerialNumbers&) = default;

 private:
  using Number = std::array<std::uint8_t, kLongest + 1>;  // its length, it, zeroes
  static std::optional<Number> NumberOf(ByteView serial);

  std::vector<Number> numbers_;
};

// What a list says. Times are POSIX seconds.
struct RevocationList {
  std::string issuer;  // RFC 2253, for messages
  Bytes number;        // CRL Number, big-endian without leading zeroes; empty: it has none
  std::int64_t this_update = 0;
  std::int64_t next_update = 0;
  SerialNumbers revoked;

  // Whether this one was made before `other`, by its time or its number.
  bool IsOlderThan(const RevocationList& other) const;
  friend bool operator==(const RevocationList&, const RevocationList&) = default;
};

// A list that was read and is to be verified (authorities.h); borrows from its DER.
struct UnverifiedRevocationList {
  RevocationList says;
  ByteView issuer;     // Name, DER
  ByteView body;       // TBSCertList, DER: what is signed
  ByteView algorithm;  // AlgorithmIdentifier, DER
  ByteView signature;  // the bits
};

inline constexpr std::size_t kMostListBytes = 96u << 20;  // of one list in DER
inline constexpr std::size_t kMostRevoked = 2'000'000;    // on one list
inline constexpr std::size_t kMostListsInFile = 64;

// Reads one list that is all there is to say about its issuer's certificates. kMalformed for what
// is no list, kTooLarge beyond the bounds above, kUnsupported for a list of a part of the
// certificates (issuing distribution point), a delta or an indirect list, for one that does not say
// when the next one comes, and for critical extensions that are not known here.
Result<UnverifiedRevocationList> ReadRevocationList(ByteView der);

// The lists in a file, DER: itself, or those in its PEM text, where nothing else may stand.
// kMalformed, kTooLarge.
Result<std::vector<Bytes>> RevocationListsIn(Bytes file);

}  // namespace dare::crypto
