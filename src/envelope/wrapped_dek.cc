#include "envelope/wrapped_dek.h"

#include <utility>

namespace dare::envelope {
namespace {

constexpr std::size_t kDekSize = 32;

Result<WrappedDek> NewDek() {
  return WrappedDek{.dek = Dek(TRY(SecretBytes::Random(kDekSize))), .edks = {}};
}

// Several DEKs on their way through the wrappers; one that failed goes no further.
class Batch {
 public:
  explicit Batch(std::span<const ByteView> aads) : aads_(aads) {
    for (std::size_t i = 0; i < aads.size(); ++i) made_.push_back(NewDek());
  }

  void WrapAll(KeyWrapper& wrapper) {
    const std::vector<std::size_t> good = Good();
    std::vector<DekToWrap> deks;
    for (const std::size_t i : good) deks.push_back({&made_[i]->dek, aads_[i]});
    std::vector<Result<EncryptedDataKey>> wrapped = wrapper.WrapMany(deks);
    for (std::size_t n = 0; n < good.size(); ++n) {
      Result<WrappedDek>& made = made_[good[n]];
      if (wrapped[n]) {
        made->edks.push_back(*std::move(wrapped[n]));
      } else {
        made = std::move(wrapped[n]).error();
      }
    }
  }

  // Section 5.3 of the format: "decrypt once before the DEK is used".
  void VerifyAll(KeyWrapper& wrapper) {
    const std::vector<std::size_t> good = Good();
    std::vector<EdkToUnwrap> edks;
    for (const std::size_t i : good) edks.push_back({&made_[i]->edks.back(), aads_[i]});
    const std::vector<Result<std::optional<Dek>>> unwrapped = wrapper.UnwrapMany(edks);
    for (std::size_t n = 0; n < good.size(); ++n) {
      Result<WrappedDek>& made = made_[good[n]];
      if (!unwrapped[n]) {
        made = unwrapped[n].error();
      } else if (!*unwrapped[n] ||
                 !EqualInConstantTime((*unwrapped[n])->Reveal(), made->dek.Reveal())) {
        made = Error(Code::kInternal, "the key of " + made->edks.back().provider_id +
                                          " wrapped the DEK into something that does not unwrap");
      }
    }
  }

  std::vector<Result<WrappedDek>> Take() && { return std::move(made_); }

 private:
  std::vector<std::size_t> Good() const {
    std::vector<std::size_t> good;
    for (std::size_t i = 0; i < made_.size(); ++i) {
      if (made_[i]) good.push_back(i);
    }
    return good;
  }

  const std::span<const ByteView> aads_;
  std::vector<Result<WrappedDek>> made_;
};

}  // namespace

Result<WrappedDek> MakeWrappedDek(const Keyring& keyring, ByteView aad, bool verify) {
  return std::move(MakeWrappedDeks(keyring, {&aad, 1}, verify).front());
}

std::vector<Result<WrappedDek>> MakeWrappedDeks(const Keyring& keyring,
                                                std::span<const ByteView> aads, bool verify) {
  Batch batch(aads);
  for (const std::shared_ptr<KeyWrapper>& wrapper : keyring) {
    batch.WrapAll(*wrapper);
    if (verify && wrapper->can_unwrap()) batch.VerifyAll(*wrapper);
  }
  return std::move(batch).Take();
}

}  // namespace dare::envelope
