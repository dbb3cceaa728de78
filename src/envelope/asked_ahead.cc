#include "envelope/asked_ahead.h"

#include <cerrno>
#include <utility>

namespace dare::envelope {

bool NobodyAnswers(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout ||
         (error.code == Code::kIo && error.detail == EINTR);
}

std::vector<bool> AskedAhead::Ask(const std::vector<const Copy*>& copies) {
  std::vector<EdkToUnwrap> edks;
  for (const Copy* copy : copies) edks.push_back({&copy->edk, copy->aad});
  std::vector<Result<std::optional<Dek>>> deks = asked_->UnwrapMany(edks);
  std::vector<bool> opened;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    opened.push_back(deks[i] && *deks[i]);
    if (!deks[i] && NobodyAnswers(deks[i].error())) obstacle_ = deks[i].error();
    answers_.push_back({*copies[i], std::move(deks[i])});
  }
  return opened;
}

Result<std::optional<Dek>> AskedAhead::Unwrap(const EncryptedDataKey& edk, ByteView aad) {
  for (const Answer& answer : answers_) {
    if (answer.copy.edk != edk || !EqualInConstantTime(answer.copy.aad, aad)) continue;
    if (!answer.dek) return answer.dek.error();
    if (!*answer.dek) return std::optional<Dek>();
    return std::optional<Dek>(TRY((*answer.dek)->Clone()));
  }
  if (obstacle_) return *obstacle_;
  return asked_->Unwrap(edk, aad);
}

Keyring AskAhead(const Keyring& keyring, std::vector<AskedAhead::Copies> messages) {
  std::vector<std::shared_ptr<AskedAhead>> asked;
  for (const std::shared_ptr<KeyWrapper>& wrapper : keyring) {
    asked.push_back(std::make_shared<AskedAhead>(wrapper));
  }
  std::vector<std::size_t> closed(messages.size());
  for (std::size_t i = 0; i < closed.size(); ++i) closed[i] = i;
  for (std::size_t turn = 0; !closed.empty(); ++turn) {
    std::erase_if(closed, [&](std::size_t i) { return messages[i].size() <= turn; });
    for (const std::shared_ptr<AskedAhead>& wrapper : asked) {
      if (closed.empty() || wrapper->gave_up()) continue;
      std::vector<const AskedAhead::Copy*> copies;
      for (const std::size_t i : closed) copies.push_back(&messages[i][turn]);
      const std::vector<bool> opened = wrapper->Ask(copies);
      std::vector<std::size_t> still;
      for (std::size_t n = 0; n < closed.size(); ++n) {
        if (!opened[n]) still.push_back(closed[n]);
      }
      closed = std::move(still);
    }
  }
  return {asked.begin(), asked.end()};
}

}  // namespace dare::envelope
