#pragma once

#include <vector>

#include "envelope/keyring.h"

namespace dare::envelope {

// The keeper of the keys is away, or waiting for it was given up: asking for another key is no use.
bool NobodyAnswers(const Error& error);

// Answers from what another wrapper was asked for before, many together; what was not asked for
// then is asked for now. Each answer is given as often as it is wanted. One thread.
class AskedAhead final : public KeyWrapper {
 public:
  struct Copy {
    EncryptedDataKey edk;
    Bytes aad;
  };
  // Of one DEK, in the order in which a reader tries them.
  using Copies = std::vector<Copy>;

  explicit AskedAhead(std::shared_ptr<KeyWrapper> asked) : asked_(std::move(asked)) {}

  // Asks for all of `copies` and keeps the answers. Gives which of them opened.
  std::vector<bool> Ask(const std::vector<const Copy*>& copies);
  // Whether an answer said that nobody can be asked: then nobody will be.
  bool gave_up() const { return obstacle_.has_value(); }

  Result<EncryptedDataKey> Wrap(const Dek& dek, ByteView aad) override {
    return asked_->Wrap(dek, aad);
  }
  bool can_unwrap() const override { return asked_->can_unwrap(); }
  Result<std::optional<Dek>> Unwrap(const EncryptedDataKey& edk, ByteView aad) override;

 private:
  struct Answer {
    Copy copy;
    Result<std::optional<Dek>> dek;
  };

  const std::shared_ptr<KeyWrapper> asked_;
  std::vector<Answer> answers_;
  std::optional<Error> obstacle_;
};

// A keyring that gives what `keyring` would, which is asked as a reader of each message would do
// it, one copy after the other until one opens, but for all messages together.
Keyring AskAhead(const Keyring& keyring, std::vector<AskedAhead::Copies> messages);

}  // namespace dare::envelope
