#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/line.h"
#include "audit/merkle.h"
#include "audit/signed_note.h"
#include "base/bytes.h"

// A checkpoint says how the log was at one time, signed by a key that never leaves the HSM. It is a
// text of seven lines (C2SP tlog-checkpoint and signed-note); byte by byte in
// docs/formats/audit.md.
namespace dare::audit {

struct Checkpoint {
  std::string origin;      // "dare-audit/NODE"
  std::uint64_t size = 0;  // how many lines the log had
  TreeHash root{};
  std::int64_t time = 0;  // POSIX seconds
  LineHash last_line;     // the last line's hash

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

inline constexpr std::size_t kCheckpointLines = 7;
inline constexpr std::size_t kMostCheckpointBytes = 4096;

std::string OriginOf(std::string_view node);
// The first five lines: what is signed.
std::string BodyOf(const Checkpoint& checkpoint);
// The whole text. `public_key`: SubjectPublicKeyInfo, DER.
std::string SignedText(const Checkpoint& checkpoint, ByteView public_key, ByteView signature);

// As it was read; nothing of it is proven yet.
struct SignedCheckpoint {
  Checkpoint checkpoint;
  std::string body;  // its bytes, as they were signed
  Bytes key_id;      // 4 bytes
  Bytes signature;
};
// kMalformed unless the text is byte for byte what SignedText makes.
Result<SignedCheckpoint> ParseCheckpoint(std::string_view text);
// The whole text again.
std::string TextOf(const SignedCheckpoint& checkpoint);

// The keys that checkpoints may be signed with. Immutable; copies are cheap enough.
class CheckpointKeys {
 public:
  // Of a file as WritePublicKey makes it; kMalformed for anything else.
  Result<void> AddPem(std::string_view pem);
  Result<void> AddDer(ByteView public_key);
  bool empty() const { return keys_.empty(); }
  // kDamaged when it is by none of the keys, or not right.
  Result<void> Check(const SignedCheckpoint& checkpoint) const;
  // The same of another text that is signed so.
  Result<void> Check(std::string_view origin, std::string_view body, const NoteSignature& by) const;

 private:
  std::vector<Bytes> keys_;
};

// Names a key in a checkpoint: 4 bytes of a hash over the origin and the key.
Bytes KeyIdOf(std::string_view origin, ByteView public_key);
// "-----BEGIN PUBLIC KEY-----" …: what `openssl dgst -verify` reads.
std::string PublicKeyPem(ByteView public_key);
// Writes audit.pub into `folder`. One that is there and is of another key is kept as
// audit-XXXXXXXX.pub, XXXXXXXX being a hash of it.
Result<void> WritePublicKey(const std::string& folder, ByteView public_key);

}  // namespace dare::audit
