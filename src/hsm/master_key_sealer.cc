#include "hsm/master_key_sealer.h"

#include <string_view>

namespace dare::hsm {
namespace {

constexpr std::string_view kProbeText = "dare-kms probe";

}  // namespace

MasterKeySealer::MasterKeySealer(std::shared_ptr<MasterKey> key)
    : key_(std::move(key)),
      info_{key_->info().label, key_->info().id, key_->info().check_value,
            std::string(NameOf(key_->info().mechanism)) + " in the token"} {}

Result<void> MasterKeySealer::CheckMechanism(const MasterKey& key, SealingMechanism mechanism) {
  if (key.info().mechanism == mechanism) return {};
  return Error(Code::kInvalidArgument, "the master key is for another mechanism");
}

ByteView MasterKeySealer::ProbeText() { return AsBytes(kProbeText); }

Result<void> MasterKeySealer::IsProbe(const SecretBytes& opened) {
  if (EqualInConstantTime(opened.Reveal(), ProbeText())) return {};
  return Error(Code::kUnsupported, "the token opens another text than it sealed");
}

Result<void> MasterKeySealer::Prove() {
  Result<Bytes> probe = Seal(ProbeText(), ProbeText());
  if (!probe) return probe.error().In("the token does not seal");
  probe_ = *std::move(probe);
  const Result<SecretBytes> opened = Open(ProbeText(), probe_);
  if (!opened) return opened.error().In("the token does not open what it sealed");
  return IsProbe(*opened);
}

}  // namespace dare::hsm
