#include "hsm/tpm_check.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "crypto/digest.h"
#include "hsm/sealed_record.h"
#include "hsm/tpm_outside_object.h"
#include "hsm/tpm_sealer.h"

namespace dare::hsm {
namespace {

constexpr std::string_view kAad = "dare-kms hsm check";

// One TPM on trial. Each step gives its note, and stands on those before it.
class Trial {
 public:
  explicit Trial(std::string tcti) : tcti_(std::move(tcti)) {}

  Result<std::string> Reach() {
    const auto tpm = TRY(TpmConnection::Open(tcti_));
    held_before_ = TRY(tpm->HeldElsewhere());
    return "made by " + TRY(tpm->Manufacturer());
  }
  Result<std::string> Open() {
    sealer_ = TRY(TpmSealer::Open(tcti_));
    return "storage root key " + ToHex(sealer_->info().key_id) + " on P-256";
  }
  Result<std::string> Seal() {
    const auto begin = std::chrono::steady_clock::now();
    const Bytes secret(kMostTpmSecretBytes, 0x5a);
    record_ = TRY(sealer_->Seal(AsBytes(kAad), secret));
    const auto sealed = std::chrono::steady_clock::now();
    const SecretBytes opened = TRY(sealer_->Open(AsBytes(kAad), record_));
    const auto end = std::chrono::steady_clock::now();
    if (!EqualInConstantTime(opened.Reveal(), secret)) {
      return Error(Code::kDamaged, "it opens something else");
    }
    const auto ms = [](auto span) {
      return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(span).count());
    };
    return "sealed in " + ms(sealed - begin) + " ms, opened in " + ms(end - sealed) + " ms";
  }
  Result<std::string> RefuseAltered() {
    for (const std::size_t place : {kRecordHeadBytes, record_.size() / 2, record_.size() - 1}) {
      Bytes altered = record_;
      altered[place] ^= 1;
      TRY(MustNotOpen(AsBytes(kAad), altered));
    }
    return std::string();
  }
  Result<std::string> RefuseOtherAad() {
    TRY(MustNotOpen(AsBytes("something else"), record_));
    return std::string();
  }
  Result<std::string> RefuseImported() {
    Bytes forged(record_.begin(), record_.begin() + kRecordHeadBytes);
    Bytes content = ToBytes(crypto::Sha256(BoundTo(forged, AsBytes(kAad))));
    Append(content, AsBytes("not from here"));
    {
      const auto tpm = TRY(TpmConnection::Open(tcti_));
      const TpmOutsideObject object = TRY(ImportIntoTpm(*tpm, content));
      const TPM2B_DIGEST& unique = object.public_area.publicArea.unique.keyedHash;
      Append(forged, ByteView(unique.buffer, unique.size));
      Append(forged, ByteView(object.private_area.buffer, object.private_area.size));
    }
    TRY(MustNotOpen(AsBytes(kAad), forged));
    return std::string();
  }
  Result<std::string> LeaveNothing() {
    const auto tpm = TRY(TpmConnection::Open(tcti_));
    const std::size_t held = TRY(tpm->HeldElsewhere());
    if (held <= held_before_) return std::string();
    return Error(Code::kInternal,
                 std::to_string(held - held_before_) +
                     " objects or sessions are left, unless somebody else uses the TPM just now");
  }

 private:
  Result<void> MustNotOpen(ByteView aad, ByteView record) {
    const Result<SecretBytes> opened = sealer_->Open(aad, record);
    if (opened) return Error(Code::kDamaged, "it opens");
    if (opened.error().code != Code::kDamaged) return opened.error();
    return {};
  }

  const std::string tcti_;
  std::size_t held_before_ = 0;
  std::unique_ptr<TpmSealer> sealer_;
  Bytes record_;
};

}  // namespace

bool TpmReport::usable() const { return std::ranges::all_of(findings, &TpmFinding::works); }

TpmReport CheckTpm(const std::string& tcti) {
  Trial trial(tcti);
  const std::pair<const char*, std::function<Result<std::string>()>> steps[] = {
      {"answers", [&] { return trial.Reach(); }},
      {"has a storage root key and encrypted sessions", [&] { return trial.Open(); }},
      {"seals and opens", [&] { return trial.Seal(); }},
      {"refuses an altered record", [&] { return trial.RefuseAltered(); }},
      {"refuses other associated data", [&] { return trial.RefuseOtherAad(); }},
      {"refuses what was made outside and imported", [&] { return trial.RefuseImported(); }},
      {"has nothing left of it", [&] { return trial.LeaveNothing(); }},
  };
  TpmReport report;
  for (const auto& [what, step] : steps) {
    const Result<std::string> note = step();
    report.findings.push_back({what, note.has_value(), note ? *note : note.error().message});
    if (!note) break;
  }
  return report;
}

}  // namespace dare::hsm
