#include "audit/checkpoint.h"

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "crypto/signature.h"

namespace dare::audit {
namespace {

constexpr std::string_view kOriginPrefix = "dare-audit/";
constexpr std::string_view kKeyType = "x509-sha256";
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kMostOriginBytes = 128;
constexpr std::string_view kPemBegin = "-----BEGIN PUBLIC KEY-----";
constexpr std::string_view kPemEnd = "-----END PUBLIC KEY-----";

Error Malformed(const char* what) {
  return Error(Code::kMalformed, std::string("not a checkpoint: ") + what);
}

bool IsOrigin(std::string_view origin) {
  return origin.starts_with(kOriginPrefix) && origin.size() > kOriginPrefix.size() &&
         origin.size() <= kMostOriginBytes &&
         std::ranges::all_of(origin, [](char c) { return c > 0x20 && c < 0x7F && c != '+'; });
}

}  // namespace

std::string OriginOf(std::string_view node) {
  return std::string(kOriginPrefix) + std::string(node);
}

std::string BodyOf(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         ToBase64(checkpoint.root) + "\ntime " + std::string(TimeText(checkpoint.time)) +
         "\nlast " + checkpoint.last_line + "\n";
}

std::string TextOf(const SignedCheckpoint& checkpoint) {
  return NoteText(checkpoint.body, checkpoint.checkpoint.origin,
                  {checkpoint.key_id, checkpoint.signature});
}

std::string SignedText(const Checkpoint& checkpoint, ByteView public_key, ByteView signature) {
  return TextOf(
      {checkpoint, BodyOf(checkpoint), KeyIdOf(checkpoint.origin, public_key), ToBytes(signature)});
}

Result<SignedCheckpoint> ParseCheckpoint(std::string_view text) {
  if (text.size() > kMostCheckpointBytes) return Malformed("too long");
  const Result<std::vector<std::string_view>> split = NoteLines(text, kCheckpointLines);
  if (!split) return Malformed(split.error().message.c_str());
  const std::vector<std::string_view>& lines = *split;
  SignedCheckpoint parsed;
  Checkpoint& checkpoint = parsed.checkpoint;
  checkpoint.origin = lines[0];
  if (!IsOrigin(checkpoint.origin)) return Malformed("its first line names no log");
  const std::optional<std::uint64_t> size = ParseNumberLine(lines[1]);
  if (!size || *size == 0) return Malformed("no number of entries");
  checkpoint.size = *size;
  const Bytes root = TRY(FromBase64(lines[2]));
  if (root.size() != checkpoint.root.size()) return Malformed("no hash of the tree");
  std::copy(root.begin(), root.end(), checkpoint.root.begin());
  if (!lines[3].starts_with("time ") || !lines[4].starts_with("last ")) {
    return Malformed("no time or last hash");
  }
  checkpoint.time = TRY(ParseTime(std::string(lines[3].substr(5))));
  checkpoint.last_line = lines[4].substr(5);
  const Bytes last = TRY(FromHex(checkpoint.last_line));
  if (last.size() != sizeof(TreeHash)) return Malformed("no hash of the last line");
  Result<NoteSignature> by = ParseSignatureLine(lines[6], checkpoint.origin);
  if (!lines[5].empty() || !by) return Malformed("no signature");
  parsed.key_id = std::move(by->key_id);
  parsed.signature = std::move(by->signature);
  parsed.body = BodyOf(checkpoint);
  // One text for one checkpoint: other spellings of its numbers and hashes are refused.
  if (TextOf(parsed) != text) return Malformed("not written as we write it");
  return parsed;
}

Result<void> CheckpointKeys::AddDer(ByteView public_key) {
  TRY(crypto::PublicKey::Parse(crypto::PublicKeyFormat::kSubjectPublicKeyInfo, public_key));
  keys_.push_back(ToBytes(public_key));
  return {};
}

Result<void> CheckpointKeys::AddPem(std::string_view pem) {
  const std::size_t begin = pem.find(kPemBegin);
  const std::size_t end = begin == std::string_view::npos ? begin : pem.find(kPemEnd, begin);
  if (end == std::string_view::npos) return Error(Code::kMalformed, "not a public key in PEM");
  const std::size_t inside = begin + kPemBegin.size();
  const Bytes der = TRY(FromBase64(pem.substr(inside, end - inside)));
  return AddDer(der);
}

Result<void> CheckpointKeys::Check(const SignedCheckpoint& checkpoint) const {
  return Check(checkpoint.checkpoint.origin, checkpoint.body,
               {checkpoint.key_id, checkpoint.signature});
}

Result<void> CheckpointKeys::Check(std::string_view origin, std::string_view body,
                                   const NoteSignature& by) const {
  for (const Bytes& key : keys_) {
    if (KeyIdOf(origin, key) != by.key_id) continue;
    const crypto::PublicKey parsed = TRY(crypto::PublicKey::Parse(
        crypto::PublicKeyFormat::kSubjectPublicKeyInfo, key, crypto::KeySource::kChecked));
    const Result<bool> right = crypto::VerifyMessage(parsed, {}, AsBytes(body), by.signature);
    if (right && *right) return {};
    return Error(Code::kDamaged, "its signature is not right");
  }
  return Error(Code::kDamaged, "it is signed by another key than the one given");
}

Bytes KeyIdOf(std::string_view origin, ByteView public_key) {
  Bytes input = ToBytes(AsBytes(origin));
  input.push_back('\n');
  input.push_back(0xFF);  // signed-note: a type of key that it has no number for
  Append(input, AsBytes(kKeyType));
  Append(input, public_key);
  const auto hash = crypto::Sha256(input);
  return Bytes(hash.begin(), hash.begin() + kKeyIdBytes);
}

std::string PublicKeyPem(ByteView public_key) {
  constexpr std::size_t kColumns = 64;
  const std::string base64 = ToBase64(public_key);
  std::string pem = std::string(kPemBegin) + "\n";
  for (std::size_t at = 0; at < base64.size(); at += kColumns) {
    pem += base64.substr(at, kColumns) + "\n";
  }
  return pem + std::string(kPemEnd) + "\n";
}

Result<void> WritePublicKey(const std::string& folder, ByteView public_key) {
  const std::string path = folder + "/audit.pub", pem = PublicKeyPem(public_key);
  if (FileExists(path)) {
    const Bytes there = TRY(ReadFile(path, kMostCheckpointBytes));
    if (AsText(there) == pem) return {};
    const auto hash = crypto::Sha256(there);
    const std::string kept = "/audit-" + ToHex(ByteView(hash).first(4)) + ".pub";
    TRY(WriteFileDurably(folder + kept, there, 0644));
  }
  return WriteFileDurably(path, AsBytes(pem), 0644);
}

}  // namespace dare::audit
