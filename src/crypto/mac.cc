#include "crypto/mac.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/secret_bytes.h"
#include "crypto/block_cipher.h"
#include "crypto/digest.h"

namespace dare::crypto {
namespace {

struct ContextFree {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MAC_CTX, ContextFree>;

Error NotOffered(const std::string& name) {
  ERR_clear_error();
  return Error(Code::kUnsupported, name + " is not offered by the cryptographic provider");
}

// OpenSSL's name of the cipher below a CMAC.
Result<std::string> CbcName(CipherAlgorithm cipher, std::size_t key_bytes) {
  switch (cipher) {
    case CipherAlgorithm::kTripleDes:
      return std::string("DES-EDE3-CBC");
    case CipherAlgorithm::kAes:
    case CipherAlgorithm::kCamellia:
    case CipherAlgorithm::kAria:
      return std::string(Name(cipher)) + "-" + std::to_string(key_bytes * 8) + "-CBC";
    case CipherAlgorithm::kChaCha20:
    case CipherAlgorithm::kChaCha20Poly1305:
    case CipherAlgorithm::kOneTimePad:
      break;
  }
  return Error(Code::kUnsupported, std::string(Name(cipher)) + " is no block cipher");
}

Result<Context> StartMac(EVP_MAC* mac, const char* parameter, std::string name, ByteView key) {
  Context context(EVP_MAC_CTX_new(mac));
  if (!context) return Error(Code::kExhausted, "no memory for a MAC");
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(parameter, name.data(), 0),
                               OSSL_PARAM_construct_end()};
  if (EVP_MAC_init(context.get(), key.data(), key.size(), params) != 1) return NotOffered(name);
  return context;
}

// Fetched once: a fetch by name costs more than a small message.
Result<Context> StartHmac(HashAlgorithm hash, ByteView key, const AlgorithmPolicy& policy) {
  TRY(CheckHmac(policy, hash, key.size()));
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return StartMac(mac, OSSL_MAC_PARAM_DIGEST, std::string(Name(hash)), key);
}

Result<Context> StartCmac(CipherAlgorithm cipher, ByteView key, const AlgorithmPolicy& policy) {
  TRY(CheckCipher(policy, cipher, CipherMode::kCbc, key.size(), 0));
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "CMAC", nullptr);
  std::array<std::uint8_t, 24> two_keys{};  // two-key 3DES is K1 K2 K1
  ByteView whole = key;
  if (cipher == CipherAlgorithm::kTripleDes && key.size() == 16) {
    std::copy(key.begin(), key.end(), two_keys.begin());
    std::copy_n(key.begin(), 8, two_keys.begin() + 16);
    whole = two_keys;
  }
  Result<Context> context =
      StartMac(mac, OSSL_MAC_PARAM_CIPHER, TRY(CbcName(cipher, key.size())), whole);
  Wipe(two_keys);
  return context;
}

Result<CipherStream> StartCbcMac(CipherAlgorithm cipher, ByteView key,
                                 const AlgorithmPolicy& policy) {
  if (!policy.allow_legacy) {
    return Error(Code::kDenied, "CBC-MAC is not allowed by the algorithm policy");
  }
  static constexpr std::array<std::uint8_t, 16> kZeroes{};
  CipherRequest request;
  request.algorithm = cipher;
  request.mode = CipherMode::kCbc;
  request.key = key;
  request.iv = ByteView(kZeroes).first(DefaultIvBytes(cipher, CipherMode::kCbc));
  request.policy = policy;
  return CipherStream::Begin(request, CipherStream::Direction::kEncrypt);
}

}  // namespace

struct MacStream::State {
  Context mac;                      // HMAC and CMAC
  std::optional<CipherStream> cbc;  // CBC-MAC
  std::size_t block = 0;            // of CBC-MAC
  std::size_t fed = 0;              // bytes into CBC-MAC
  WipingBytes last;                 // its last block so far
};

MacStream::MacStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
MacStream::MacStream(MacStream&& other) noexcept = default;
MacStream& MacStream::operator=(MacStream&& other) noexcept = default;
MacStream::~MacStream() = default;

Result<MacStream> MacStream::Begin(const MacAlgorithm& algorithm, ByteView key,
                                   const AlgorithmPolicy& policy) {
  auto state = std::make_unique<State>();
  switch (algorithm.kind) {
    case MacAlgorithm::Kind::kHmac:
      state->mac = TRY(StartHmac(algorithm.hash, key, policy));
      break;
    case MacAlgorithm::Kind::kCmac:
      state->mac = TRY(StartCmac(algorithm.cipher, key, policy));
      break;
    case MacAlgorithm::Kind::kCbcMac:
      state->cbc = TRY(StartCbcMac(algorithm.cipher, key, policy));
      state->block = BlockBytes(algorithm.cipher);
      break;
  }
  return MacStream(std::move(state));
}

Result<void> MacStream::Update(ByteView part) {
  if (state_->cbc) {
    const WipingBytes out = TRY(state_->cbc->Update(part));
    if (out.size() >= state_->block) state_->last.assign(out.end() - state_->block, out.end());
    state_->fed += part.size();
    return {};
  }
  if (!part.empty() && EVP_MAC_update(state_->mac.get(), part.data(), part.size()) != 1) {
    ERR_clear_error();
    return Error(Code::kInternal, "OpenSSL refused the MAC");
  }
  return {};
}

Result<Bytes> MacStream::Finish() {
  if (state_->cbc) {
    const std::size_t over = state_->fed % state_->block;
    if (over != 0 || state_->fed == 0) TRY(Update(Bytes(state_->block - over)));
    return Bytes(state_->last.begin(), state_->last.end());
  }
  Bytes code(EVP_MAX_MD_SIZE);
  std::size_t written = 0;
  if (EVP_MAC_final(state_->mac.get(), code.data(), &written, code.size()) != 1) {
    ERR_clear_error();
    return Error(Code::kInternal, "OpenSSL refused the MAC");
  }
  code.resize(written);
  return code;
}

Result<Bytes> Mac(const MacAlgorithm& algorithm, ByteView key, ByteView data,
                  const AlgorithmPolicy& policy) {
  MacStream stream = TRY(MacStream::Begin(algorithm, key, policy));
  TRY(stream.Update(data));
  return stream.Finish();
}

Result<Bytes> Hmac(HashAlgorithm hash, ByteView key, ByteView data, const AlgorithmPolicy& policy) {
  return Mac(MacAlgorithm::Hmac(hash), key, data, policy);
}

Result<Bytes> CmacAes(ByteView key, ByteView data) {
  return Mac(MacAlgorithm::Cmac(CipherAlgorithm::kAes), key, data);
}

bool MacMatches(ByteView expected, ByteView mac, std::size_t least) {
  if (mac.empty() || mac.size() < least || mac.size() > expected.size()) return false;
  return EqualInConstantTime(expected.first(mac.size()), mac);
}

}  // namespace dare::crypto
