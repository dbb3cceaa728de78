#include "custody/seal_count.h"

namespace dare::custody {

Result<void> SealCount::Take() {
  if (total() >= most_) {
    return Error(Code::kExhausted,
                 "the master key sealed " + std::to_string(total()) +
                     " records, as many as are safe with random nonces: rotate it (dare hsm "
                     "rotate); what is stored still opens");
  }
  ++made_;
  return {};
}

void SealCount::Learn(std::uint64_t own, std::uint64_t others) {
  made_ += own;
  reserved_ = own;
  others_ = others;
}

std::uint64_t SealCount::ToReserve() const {
  const std::uint64_t made = made_;
  return made > reserved_ ? made + kSealBlock : 0;
}

}  // namespace dare::custody
