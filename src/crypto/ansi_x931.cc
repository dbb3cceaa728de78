#include "crypto/ansi_x931.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/openssl_handles.h"

namespace dare::crypto {
namespace {

using Block = AnsiX931::Block;
using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;

Block Xor(const Block& a, const Block& b) {
  Block out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(a[i] ^ b[i]);
  return out;
}

void CountUp(Block& block) {
  for (auto byte = block.rbegin(); byte != block.rend(); ++byte) {
    if (++*byte != 0) return;
  }
}

}  // namespace

struct AnsiX931::State {
  CipherContextPtr aes;
  Block seed{};  // V
  Block date_time{};
  Block last{};  // of the blocks given
  bool has_last = false;

  ~State() {
    Wipe(seed);
    Wipe(last);
  }
  bool Encrypt(const Block& in, Block& out) {
    int n = 0;
    return EVP_EncryptUpdate(aes.get(), out.data(), &n, in.data(), kBlock) == 1 &&
           n == static_cast<int>(kBlock);
  }
  Result<Block> Next();
};

Result<Block> AnsiX931::State::Next() {
  Block stamp{};  // I
  Block block{};  // R
  const bool done = Encrypt(date_time, stamp) && Encrypt(Xor(stamp, seed), block) &&
                    Encrypt(Xor(block, stamp), seed);
  Wipe(stamp);
  if (!done) {
    ERR_clear_error();
    return Error(Code::kInternal, "OpenSSL refused AES");
  }
  CountUp(date_time);
  if (has_last && block == last) {
    return Error(Code::kInternal, "the ANSI X9.31 generator repeats itself");
  }
  last = block;
  has_last = true;
  return block;
}

AnsiX931::AnsiX931(std::unique_ptr<State> state) : state_(std::move(state)) {}
AnsiX931::AnsiX931(AnsiX931&& other) noexcept = default;
AnsiX931& AnsiX931::operator=(AnsiX931&& other) noexcept = default;
AnsiX931::~AnsiX931() = default;

Result<AnsiX931> AnsiX931::Make(ByteView key, const Block& seed, const Block& date_time) {
  if (key.size() != 16 && key.size() != 24 && key.size() != 32) {
    return Error(Code::kInvalidArgument, "AES has no keys of this length");
  }
  const std::string name = "AES-" + std::to_string(key.size() * 8) + "-ECB";
  const std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>> cipher(
      EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr));
  auto state = std::make_unique<State>();
  state->aes.reset(EVP_CIPHER_CTX_new());
  if (!cipher || !state->aes ||
      EVP_EncryptInit_ex2(state->aes.get(), cipher.get(), key.data(), nullptr, nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(state->aes.get(), 0) != 1) {
    ERR_clear_error();
    return Error(Code::kUnsupported, name + " is not offered by the cryptographic provider");
  }
  state->seed = seed;
  state->date_time = date_time;
  return AnsiX931(std::move(state));
}

void AnsiX931::SetDateTime(const Block& date_time) { state_->date_time = date_time; }

Result<void> AnsiX931::Generate(MutableBytes out) {
  while (!out.empty()) {
    Block block = TRY(state_->Next());
    const std::size_t n = std::min(out.size(), block.size());
    std::copy_n(block.begin(), n, out.begin());
    Wipe(block);
    out = out.subspan(n);
  }
  return {};
}

}  // namespace dare::crypto
