#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "client/kms_client.h"
#include "kmip/attributes.h"

namespace dare::client {

// What a person wants to know of a key. Public facts only, as the key server tells them.
struct KeyFacts {
  std::string id;
  std::vector<std::string> names;
  kmip::ObjectType type{};
  std::optional<kmip::State> state;
  std::optional<kmip::CryptographicAlgorithm> algorithm;
  std::optional<std::int32_t> bits;
  std::uint32_t usage = 0;  // Cryptographic Usage Mask
  std::optional<bool> sensitive;
  std::optional<bool> extractable;
  bool in_hsm = false;                        // the key never leaves the server's HSM
  std::optional<std::uint32_t> rotate_every;  // seconds after which the server rotates the key
  std::string rotation_due;  // why the server wants the key replaced; empty: it does not
  // POSIX seconds
  std::optional<std::int64_t> created;  // Initial Date
  std::optional<std::int64_t> activated;
  std::optional<std::int64_t> deactivated;
  std::optional<std::int64_t> compromised;
  std::optional<std::int64_t> destroyed;
  std::optional<std::string> replaces;     // ids of linked keys
  std::optional<std::string> replaced_by;  //
};

// "Active", "Pre-Active", …; "" for unknown values.
std::string_view StateName(kmip::State state);

struct NewKeyOptions {
  bool pre_active = false;                    // else usable at once
  bool extractable = false;                   // else the key's bytes never leave the key server
  bool in_hsm = false;                        // else they are in its memory while in use
  std::optional<std::uint32_t> rotate_every;  // the server rotates it by itself so many seconds old
};

struct Rotation {
  std::string old_id;
  std::string new_id;
};

struct Revocation {
  kmip::RevocationReasonCode reason = kmip::RevocationReasonCode::kCessationOfOperation;
  std::string message;
};

// The keys of the key servers, by name or id: an AES-256 key that wraps is what we make. A thin
// layer over KmsClient, whose errors pass. Borrows the client. Thread-safe.
class KeyDirectory {
 public:
  explicit KeyDirectory(KmsClient& client, const Clock& clock = SystemClock::Get())
      : client_(client), clock_(clock) {}

  // The id behind a name or an id. Of several keys with one name, the one whose state is the
  // fittest (Active before Pre-Active before the rest). kNotFound; kConflict, naming the ids, when
  // that does not decide.
  Result<std::string> Resolve(std::string_view name_or_id);

  // Makes a key under a name that no key has that is in use; kAlreadyExists otherwise. kUnsupported
  // where the server's version of KMIP lacks what is asked for.
  Result<KeyFacts> Create(std::string_view name, const NewKeyOptions& options);
  // At most `limit`, in the server's order.
  Result<std::vector<KeyFacts>> List(std::int32_t limit);
  Result<KeyFacts> Show(const std::string& id);
  Result<void> Activate(const std::string& id);
  // Re-key: a new key takes over the name and is usable at once; what the old one wrapped it still
  // opens.
  Result<Rotation> Rotate(const std::string& id);
  // Out of use for wrapping; with the reason Key Compromise, compromised.
  Result<void> Revoke(const std::string& id, const Revocation& revocation);
  // The bytes of an AES key, for keeping elsewhere: only where the key is extractable and the
  // server lets us (kDenied). kUnsupported for any other object.
  Result<SecretBytes> Export(const std::string& id);
  // The material is gone for ever; the attributes stay.
  Result<void> Destroy(const std::string& id);

 private:
  Result<std::vector<std::string>> LocateByName(std::string_view name);

  KmsClient& client_;
  const Clock& clock_;
};

}  // namespace dare::client
