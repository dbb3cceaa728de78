#include "custody/key_opener.h"

#include <algorithm>
#include <utility>

#include "custody/patience.h"

namespace dare::custody {
namespace {

constexpr std::string_view kRootKeyLabel = "dare-root-key-1";

// What a wrapped root key is bound to. Not to the token: its name may change in the configuration.
Bytes RootKeyContext(const Bytes& root_id) {
  Bytes context = ToBytes(AsBytes(kRootKeyLabel));
  Append(context, root_id);
  return context;
}

Error NobodyOpens(const CustodyKey& key, const std::vector<TokenFailure>& failures) {
  std::string why;
  for (const TokenFailure& failure : failures) {
    why += (why.empty() ? "" : "; ") + failure.token + ": " + failure.error.message;
  }
  if (why.empty()) why = "none of the configured tokens holds it";
  return Error(Code::kUnavailable, "no HSM opens the " + std::string(NameOf(key.kind)) + " " +
                                       ToHex(key.id) + " (" + why + ")");
}

}  // namespace

std::vector<KeyHolder> KeyOpener::InOrder(const CustodyKey& key) const {
  std::vector<KeyHolder> holders;
  for (const std::string& token : tokens_->tokens()) {
    const auto holder = std::ranges::find(key.holders, token, &KeyHolder::token);
    if (holder != key.holders.end()) holders.push_back(*holder);
  }
  return holders;
}

Result<std::shared_ptr<hsm::Sealer>> KeyOpener::OpenMaster(const std::string& token,
                                                           const Bytes& id,
                                                           KeyOrigin origin) const {
  return Within<std::shared_ptr<hsm::Sealer>>(
      patience_, [tokens = tokens_, token, id, origin] { return tokens->Open(token, id, origin); });
}

Result<std::shared_ptr<hsm::Sealer>> KeyOpener::Open(const CustodyKey& key,
                                                     std::vector<TokenFailure>& failures) const {
  return key.kind == KeyKind::kRoot ? OpenRoot(key, failures) : OpenMasters(key, failures);
}

Result<std::shared_ptr<hsm::Sealer>> KeyOpener::OpenMasters(
    const CustodyKey& key, std::vector<TokenFailure>& failures) const {
  std::vector<std::string> holders;
  for (const KeyHolder& holder : InOrder(key)) holders.push_back(holder.token);
  if (holders.empty()) return NobodyOpens(key, failures);
  auto together = tokens_->OpenTogether(holders, key.id, key.origin);
  if (together) return together;
  failures.push_back({holders.front(), together.error()});
  return NobodyOpens(key, failures);
}

Result<std::shared_ptr<hsm::Sealer>> KeyOpener::OpenRoot(
    const CustodyKey& key, std::vector<TokenFailure>& failures) const {
  for (const KeyHolder& holder : InOrder(key)) {
    Result<SecretBytes> root = Unwrap(key.id, holder);
    if (root) {
      std::unique_ptr<RootSealer> sealer = TRY(RootSealer::Make(key.id, *std::move(root)));
      if (sealer->info().check_value == key.check_value) return sealer;
      root = Error(Code::kDamaged, "what it unwraps is another root key");
    }
    failures.push_back({holder.token, std::move(root).error()});
  }
  return NobodyOpens(key, failures);
}

Result<SecretBytes> KeyOpener::Unwrap(const Bytes& root_id, const KeyHolder& holder) const {
  return Within<SecretBytes>(
      patience_, [tokens = tokens_, root_id, holder]() -> Result<SecretBytes> {
        const auto master = TRY(tokens->Open(holder.token, holder.wrapping_key, KeyOrigin::kToken));
        return master->Open(RootKeyContext(root_id), holder.wrapped);
      });
}

Result<KeyHolder> KeyOpener::Wrap(const std::string& token, const Bytes& id,
                                  const RootSealer& root) const {
  const auto key = std::make_shared<const SecretBytes>(TRY(root.root_key().Clone()));
  return Within<KeyHolder>(
      patience_,
      [tokens = tokens_, token, id, key, root_id = root.info().key_id]() -> Result<KeyHolder> {
        const auto master = TRY(tokens->Open(token, id, KeyOrigin::kToken));
        const Bytes context = RootKeyContext(root_id);
        KeyHolder holder{token, master->info().key_id, TRY(master->Seal(context, key->Reveal()))};
        // What a token wraps and does not unwrap is worth nothing on the day that it is needed.
        const SecretBytes back = TRY(master->Open(context, holder.wrapped));
        if (!(back == *key)) return Error(Code::kDamaged, "it does not unwrap what it wrapped");
        return holder;
      });
}

}  // namespace dare::custody
