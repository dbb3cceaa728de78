#include "crypto/block_cipher.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/secure_arena.h"

namespace dare::crypto {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // EVP counts in int
constexpr std::size_t kMostGcmIv = 128;                   // OpenSSL 3.0's limit

struct ContextFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextFree>;

enum class Direction : int { kDecrypt = 0, kEncrypt = 1 };

// Both empty OpenSSL's error queue: a TLS connection of the same thread would take what is left
// there for its own.
Error Failed() {
  ERR_clear_error();
  return Error(Code::kInternal, "OpenSSL refused the cipher operation");
}
Error Damaged() {
  ERR_clear_error();
  return Error(Code::kDamaged, "the data does not decrypt with this key");
}

// The four block ciphers, in the order of CipherAlgorithm.
constexpr std::size_t kBlockCiphers = 4;
constexpr std::size_t kModes = 9;
constexpr std::size_t kLengths = 3;

std::size_t Number(auto value) { return static_cast<std::size_t>(value); }

std::string EvpName(CipherAlgorithm algorithm, CipherMode mode, std::size_t bits) {
  std::string name(Name(algorithm));
  if (algorithm == CipherAlgorithm::kTripleDes) {
    name = "DES-EDE3";
  } else {
    name += "-" + std::to_string(bits);
  }
  return name + "-" + std::string(Name(mode));
}

// Fetching a cipher by name costs as much as encrypting a kilobyte, so each one is fetched once and
// kept. Null where OpenSSL or the provider in use (FIPS) has none.
struct CipherTable {
  // By algorithm, mode, then 128, 192, 256 (3DES: the first only).
  std::array<std::array<std::array<const EVP_CIPHER*, kLengths>, kModes>, kBlockCiphers> blocks{};
  const EVP_CIPHER* chacha = EVP_CIPHER_fetch(nullptr, "ChaCha20", nullptr);
  const EVP_CIPHER* chacha_poly = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);

  CipherTable() {
    for (std::size_t algorithm = 0; algorithm < kBlockCiphers; ++algorithm) {
      for (std::size_t mode = Number(CipherMode::kEcb); mode < kModes; ++mode) {
        for (std::size_t i = 0; i < kLengths; ++i) {
          blocks[algorithm][mode][i] = EVP_CIPHER_fetch(
              nullptr, EvpName(CipherAlgorithm(algorithm), CipherMode(mode), 128 + 64 * i).c_str(),
              nullptr);
        }
      }
    }
    ERR_clear_error();
  }
};

// The policy has found algorithm, mode and length to go together.
const EVP_CIPHER* CipherOf(const CipherRequest& request) {
  static const CipherTable* const table = new CipherTable;  // lives as long as the process
  switch (request.algorithm) {
    case CipherAlgorithm::kAes:
    case CipherAlgorithm::kCamellia:
    case CipherAlgorithm::kAria: {
      const std::size_t halves = request.mode == CipherMode::kXts ? 2 : 1;
      return table->blocks[Number(request.algorithm)][Number(request.mode)]
                          [(request.key.size() / halves - 16) / 8];
    }
    case CipherAlgorithm::kTripleDes:
      return table->blocks[Number(request.algorithm)][Number(request.mode)][0];
    case CipherAlgorithm::kChaCha20:
      return table->chacha;
    case CipherAlgorithm::kChaCha20Poly1305:
      return table->chacha_poly;
    case CipherAlgorithm::kOneTimePad:
      break;
  }
  return nullptr;
}

// The pad is the key; what is longer than it cannot be hidden.
template <typename Buffer>
Result<Buffer> Pad(const CipherRequest& request, ByteView data) {
  if (data.size() > request.key.size()) {
    return Error(Code::kInvalidArgument, "the data is longer than the one-time pad");
  }
  Buffer out(data.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(data[i] ^ request.key[i]);
  }
  return out;
}

bool IsPadded(CipherMode mode) { return mode == CipherMode::kEcb || mode == CipherMode::kCbc; }

// What holds for both directions.
Result<void> CheckRequest(const CipherRequest& request, std::size_t data_bytes) {
  TRY(CheckCipher(request.policy, request.algorithm, request.mode, request.key.size(),
                  request.tag_length));
  if (data_bytes > kMostBytes || request.aad.size() > kMostBytes) {
    return Error(Code::kTooLarge, "more than 1 GiB in one call");
  }
  if (!IvFits(request.algorithm, request.mode, request.iv.size())) {
    return Error(Code::kInvalidArgument,
                 "an IV of " + std::to_string(request.iv.size()) + " bytes does not fit " +
                     std::string(Name(request.algorithm)) + " " + std::string(Name(request.mode)));
  }
  if (!request.aad.empty() && !IsAuthenticated(request.algorithm, request.mode)) {
    return Error(Code::kInvalidArgument,
                 std::string(Name(request.mode)) + " takes no associated data");
  }
  if (request.padding != Padding::kNone && !IsPadded(request.mode)) {
    return Error(Code::kInvalidArgument, "padding is for ECB and CBC only");
  }
  if (request.mode == CipherMode::kXts && data_bytes < 16) {
    return Error(Code::kInvalidArgument, "XTS needs at least one block");
  }
  // SP 800-38C A.1: the length field has what the nonce leaves of 15 bytes.
  const std::size_t length_field = 15 - request.iv.size();
  if (request.mode == CipherMode::kCcm && length_field < 4 &&
      data_bytes >= std::size_t{1} << (8 * length_field)) {
    return Error(Code::kTooLarge, "the data is too long for CCM with this nonce");
  }
  return {};
}

Result<void> CheckWholeBlocks(const CipherRequest& request, std::size_t bytes) {
  if (IsPadded(request.mode) && bytes % BlockBytes(request.algorithm) != 0) {
    return Error(Code::kInvalidArgument, "the data is not a whole number of blocks");
  }
  return {};
}

// OpenSSL's ChaCha20 takes counter and nonce as one 16-byte little-endian block.
std::array<std::uint8_t, 16> ChaChaBlock(ByteView iv) {
  std::array<std::uint8_t, 16> block{};
  std::memcpy(block.data() + 16 - iv.size(), iv.data(), iv.size());
  return block;
}

// A context with key, IV and tag length set. `tag` is what Decrypt expects, empty for Encrypt.
Result<Context> Start(const CipherRequest& request, Direction direction, ByteView tag) {
  const EVP_CIPHER* cipher = CipherOf(request);
  if (cipher == nullptr) {
    return Error(Code::kUnsupported, std::string(Name(request.algorithm)) + " " +
                                         std::string(Name(request.mode)) +
                                         " is not offered by the cryptographic provider");
  }
  const LockedAllocations locked;  // for the expanded key
  Context context(EVP_CIPHER_CTX_new());
  if (!context) return Error(Code::kExhausted, "no memory for a cipher");
  EVP_CIPHER_CTX* const c = context.get();
  const int encrypt = static_cast<int>(direction);

  std::array<std::uint8_t, 16> chacha{};
  const std::uint8_t* iv = request.iv.empty() ? nullptr : request.iv.data();
  if (request.algorithm == CipherAlgorithm::kChaCha20) {
    chacha = ChaChaBlock(request.iv);
    iv = chacha.data();
  }
  std::array<std::uint8_t, 24> two_keys{};  // two-key 3DES is K1 K2 K1
  const std::uint8_t* key = request.key.data();
  if (request.algorithm == CipherAlgorithm::kTripleDes && request.key.size() == 16) {
    std::memcpy(two_keys.data(), key, 16);
    std::memcpy(two_keys.data() + 16, key, 8);
    key = two_keys.data();
  }

  // GCM with a 12-byte IV, the hot path, needs one initialisation; the lengths below must come
  // before the key.
  const bool ccm = request.mode == CipherMode::kCcm;
  if (ccm || (request.mode == CipherMode::kGcm && request.iv.size() != 12)) {
    void* const expected = tag.empty() ? nullptr : const_cast<std::uint8_t*>(tag.data());
    if (EVP_CipherInit_ex2(c, cipher, nullptr, nullptr, encrypt, nullptr) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(request.iv.size()),
                            nullptr) != 1 ||
        (ccm && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(request.tag_length),
                                    expected) != 1)) {
      return Failed();
    }
    cipher = nullptr;
  }
  const bool keyed = EVP_CipherInit_ex2(c, cipher, key, iv, encrypt, nullptr) == 1;
  Wipe(two_keys);
  if (!keyed) {
    ERR_clear_error();
    return Error(Code::kInvalidArgument, "the key is not usable");  // XTS with equal halves
  }
  if (IsPadded(request.mode)) {
    EVP_CIPHER_CTX_set_padding(c, request.padding == Padding::kPkcs5 ? 1 : 0);
  }
  if (!ccm && !tag.empty() &&
      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()),
                          const_cast<std::uint8_t*>(tag.data())) != 1) {
    return Failed();
  }
  return context;
}

// Feeds associated data, then the data. `out` has room for the data and one block more; gives the
// bytes written. -1 when OpenSSL says no (CCM checks its tag here).
int Feed(EVP_CIPHER_CTX* c, const CipherRequest& request, ByteView in, std::uint8_t* out) {
  int n = 0;
  const int length = static_cast<int>(in.size());
  if (request.mode == CipherMode::kCcm && EVP_CipherUpdate(c, nullptr, &n, nullptr, length) != 1) {
    return -1;
  }
  if (!request.aad.empty() && EVP_CipherUpdate(c, nullptr, &n, request.aad.data(),
                                               static_cast<int>(request.aad.size())) != 1) {
    return -1;
  }
  n = 0;
  // CCM makes its tag in this call, so it needs it for empty data too, and a pointer that is not
  // null.
  static constexpr std::uint8_t kNothing = 0;
  if (!in.empty() || request.mode == CipherMode::kCcm) {
    const std::uint8_t* const from = in.empty() ? &kNothing : in.data();
    if (EVP_CipherUpdate(c, out, &n, from, length) != 1) return -1;
  }
  return n;
}

}  // namespace

bool IsAuthenticated(CipherAlgorithm algorithm, CipherMode mode) {
  return algorithm == CipherAlgorithm::kChaCha20Poly1305 || mode == CipherMode::kGcm ||
         mode == CipherMode::kCcm;
}

std::size_t BlockBytes(CipherAlgorithm algorithm) {
  switch (algorithm) {
    case CipherAlgorithm::kAes:
    case CipherAlgorithm::kCamellia:
    case CipherAlgorithm::kAria:
      return 16;
    case CipherAlgorithm::kTripleDes:
      return 8;
    case CipherAlgorithm::kChaCha20:
    case CipherAlgorithm::kChaCha20Poly1305:
    case CipherAlgorithm::kOneTimePad:
      return 1;
  }
  return 1;
}

std::size_t DefaultIvBytes(CipherAlgorithm algorithm, CipherMode mode) {
  if (mode == CipherMode::kEcb || algorithm == CipherAlgorithm::kOneTimePad) return 0;
  if (algorithm == CipherAlgorithm::kChaCha20) return 8;
  if (IsAuthenticated(algorithm, mode)) return 12;
  return BlockBytes(algorithm);
}

bool IvFits(CipherAlgorithm algorithm, CipherMode mode, std::size_t bytes) {
  if (mode == CipherMode::kGcm) return bytes >= 1 && bytes <= kMostGcmIv;
  if (mode == CipherMode::kCcm) return bytes >= 7 && bytes <= 13;
  if (algorithm == CipherAlgorithm::kChaCha20) return bytes == 8 || bytes == 12 || bytes == 16;
  return bytes == DefaultIvBytes(algorithm, mode);
}

Result<CipherOutput> Encrypt(const CipherRequest& request, ByteView plaintext) {
  TRY(CheckRequest(request, plaintext.size()));
  if (request.padding == Padding::kNone) TRY(CheckWholeBlocks(request, plaintext.size()));
  if (request.algorithm == CipherAlgorithm::kOneTimePad) {
    return CipherOutput{.data = TRY(Pad<Bytes>(request, plaintext)), .tag = {}};
  }
  const Context context = TRY(Start(request, Direction::kEncrypt, {}));

  CipherOutput output;
  output.data.resize(plaintext.size() + BlockBytes(request.algorithm));
  const int written = Feed(context.get(), request, plaintext, output.data.data());
  int rest = 0;
  if (written < 0 || EVP_CipherFinal_ex(context.get(), output.data.data() + written, &rest) != 1) {
    return Failed();
  }
  output.data.resize(static_cast<std::size_t>(written + rest));
  if (IsAuthenticated(request.algorithm, request.mode)) {
    output.tag.resize(request.tag_length);
    if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG,
                            static_cast<int>(request.tag_length), output.tag.data()) != 1) {
      return Failed();
    }
  }
  return output;
}

Result<WipingBytes> Decrypt(const CipherRequest& request, ByteView ciphertext, ByteView tag) {
  TRY(CheckRequest(request, ciphertext.size()));
  TRY(CheckWholeBlocks(request, ciphertext.size()));
  const bool authenticated = IsAuthenticated(request.algorithm, request.mode);
  if (tag.size() != (authenticated ? request.tag_length : 0)) {
    return Error(Code::kInvalidArgument, "the authentication tag has the wrong length");
  }
  if (request.algorithm == CipherAlgorithm::kOneTimePad) {
    return Pad<WipingBytes>(request, ciphertext);
  }
  const Context context = TRY(Start(request, Direction::kDecrypt, tag));

  WipingBytes plaintext(ciphertext.size() + BlockBytes(request.algorithm));
  const int written = Feed(context.get(), request, ciphertext, plaintext.data());
  if (written < 0) return Damaged();
  int rest = 0;
  // CCM has checked its tag already and has nothing to finish.
  if (request.mode != CipherMode::kCcm &&
      EVP_CipherFinal_ex(context.get(), plaintext.data() + written, &rest) != 1) {
    return Damaged();
  }
  plaintext.resize(static_cast<std::size_t>(written + rest));
  return plaintext;
}

struct CipherStream::State {
  Context context;
  CipherAlgorithm algorithm;
  CipherMode mode;
  std::size_t tag_length;  // 0 where the mode has none
  Direction direction;
  WipingBytes held;  // plaintext that waits for its tag
};

CipherStream::CipherStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
CipherStream::CipherStream(CipherStream&& other) noexcept = default;
CipherStream& CipherStream::operator=(CipherStream&& other) noexcept = default;
CipherStream::~CipherStream() = default;

Result<CipherStream> CipherStream::Begin(const CipherRequest& request, Direction direction) {
  if (request.mode == CipherMode::kCcm || request.mode == CipherMode::kXts ||
      request.algorithm == CipherAlgorithm::kOneTimePad) {
    return Error(Code::kUnsupported, std::string(Name(request.algorithm)) + " " +
                                         std::string(Name(request.mode)) +
                                         " needs the whole message");
  }
  TRY(CheckRequest(request, 0));
  const bool encrypt = direction == Direction::kEncrypt;
  Context context = TRY(
      Start(request,
            encrypt ? dare::crypto::Direction::kEncrypt : dare::crypto::Direction::kDecrypt, {}));
  if (Feed(context.get(), request, {}, nullptr) < 0) return Failed();  // the associated data
  auto state = std::make_unique<State>();
  state->context = std::move(context);
  state->algorithm = request.algorithm;
  state->mode = request.mode;
  state->tag_length = IsAuthenticated(request.algorithm, request.mode) ? request.tag_length : 0;
  state->direction = direction;
  return CipherStream(std::move(state));
}

Result<WipingBytes> CipherStream::Update(ByteView part) {
  if (part.size() > kMostBytes) return Error(Code::kTooLarge, "more than 1 GiB in one call");
  WipingBytes out(part.size() + BlockBytes(state_->algorithm));
  int n = 0;
  if (!part.empty() && EVP_CipherUpdate(state_->context.get(), out.data(), &n, part.data(),
                                        static_cast<int>(part.size())) != 1) {
    return Failed();
  }
  out.resize(static_cast<std::size_t>(n));
  if (state_->tag_length == 0 || state_->direction == Direction::kEncrypt) return out;
  if (state_->held.size() + out.size() > kMostHeldBytes) {
    return Error(Code::kTooLarge, "too much to hold until the tag is checked");
  }
  Append(state_->held, out);
  return WipingBytes();
}

Result<CipherOutput> CipherStream::FinishEncrypt() {
  CipherOutput output;
  output.data.resize(BlockBytes(state_->algorithm));
  int n = 0;
  if (EVP_CipherFinal_ex(state_->context.get(), output.data.data(), &n) != 1) {
    ERR_clear_error();
    return Error(Code::kInvalidArgument, "the data is not a whole number of blocks");
  }
  output.data.resize(static_cast<std::size_t>(n));
  output.tag.resize(state_->tag_length);
  if (state_->tag_length != 0 &&
      EVP_CIPHER_CTX_ctrl(state_->context.get(), EVP_CTRL_AEAD_GET_TAG,
                          static_cast<int>(output.tag.size()), output.tag.data()) != 1) {
    return Failed();
  }
  return output;
}

Result<WipingBytes> CipherStream::FinishDecrypt(ByteView tag) {
  if (tag.size() != state_->tag_length) return Damaged();
  if (!tag.empty() && EVP_CIPHER_CTX_ctrl(state_->context.get(), EVP_CTRL_AEAD_SET_TAG,
                                          static_cast<int>(tag.size()),
                                          const_cast<std::uint8_t*>(tag.data())) != 1) {
    return Failed();
  }
  WipingBytes rest(BlockBytes(state_->algorithm));
  int n = 0;
  if (EVP_CipherFinal_ex(state_->context.get(), rest.data(), &n) != 1) return Damaged();
  rest.resize(static_cast<std::size_t>(n));
  WipingBytes plaintext = std::move(state_->held);
  Append(plaintext, rest);
  return plaintext;
}

}  // namespace dare::crypto
