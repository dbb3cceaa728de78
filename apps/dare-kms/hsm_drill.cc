#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <utility>

#include "base/file.h"
#include "commands.h"
#include "custody/custody.h"
#include "custody/key_backup.h"
#include "hsm/token_setup.h"
#include "key_station.h"
#include "process.h"
#include "share_files.h"
#include "token.h"

namespace dare::kms {
namespace {

constexpr std::size_t kPage = 256;
constexpr std::size_t kMostNamed = 10;

// A SoftHSM2 token that exists for one drill, in memory where the system has a file system there.
class ScratchToken {
 public:
  ScratchToken() = default;
  ScratchToken(ScratchToken&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  ScratchToken& operator=(ScratchToken&&) = delete;
  ~ScratchToken() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  // `name`: what the store calls a token that holds its key.
  Result<server::HsmConfig> Make(const std::string& name) {
    const bool in_memory = ::access("/dev/shm", W_OK) == 0;
    std::string folder = std::string(in_memory ? "/dev/shm" : "/tmp") + "/dare-drill-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) return IoError("cannot make " + folder, errno);
    folder_ = folder;
    server::HsmConfig hsm;
    hsm.name = name;
    hsm.token_label = "drill";
    hsm.pin = folder_ + "/pin";
    hsm.softhsm2_conf = folder_ + "/softhsm2.conf";
    TRY(MakeFolders(folder_ + "/tokens", 0700));
    const std::string conf =
        "directories.tokendir = " + folder_ + "/tokens\nobjectstore.backend = file\n";
    TRY(WriteFileDurably(hsm.softhsm2_conf, AsBytes(conf), 0600, false));
    const SecretBytes random = TRY(SecretBytes::Random(16));
    const std::string digits = ToHex(random.Reveal());  // of a token that lives for seconds
    TRY(WriteFileDurably(hsm.pin, AsBytes(digits), 0600, false));
    SecretBytes officer = TRY(SecretBytes::CopyOf(AsBytes(digits)));
    SecretBytes user = TRY(SecretBytes::CopyOf(AsBytes(digits)));
    const auto module = TRY(LoadModule(hsm, hsm.softhsm2_conf));
    TRY(hsm::InitialiseToken(*module, hsm.token_label, {std::move(officer), std::move(user)}));
    return hsm;
  }

 private:
  std::string folder_;
};

// Puts the key into the scratch token as `restore` would, and takes it out of there.
Result<std::shared_ptr<hsm::Sealer>> ThroughToken(ConfiguredTokens& tokens,
                                                  const std::shared_ptr<ConfiguredTokens>& shared,
                                                  const custody::KeyBackup& backup,
                                                  std::uint8_t mechanism, SecretBytes key) {
  const std::string token = tokens.tokens().front();
  if (backup.kind == custody::KeyKind::kMaster) {
    return tokens.Import(token, backup.key_id, key, mechanism);
  }
  const auto root = TRY(custody::RootSealer::Make(backup.key_id, std::move(key)));
  const auto master = TRY(tokens.Create(token));
  const custody::KeyOpener opener(shared, std::chrono::seconds(10));
  const custody::KeyHolder holder = TRY(opener.Wrap(token, master->info().key_id, *root));
  SecretBytes unwrapped = TRY(opener.Unwrap(backup.key_id, holder));
  return TRY(custody::RootSealer::Make(backup.key_id, std::move(unwrapped)));
}

struct Count {
  std::uint64_t opened = 0;   // with their material
  std::uint64_t without = 0;  // destroyed ones: nothing to open
  std::uint64_t failed = 0;
};

Result<Count> OpenRecords(const KeyStation& station, std::uint64_t sample) {
  const auto picture = TRY(station.store->Snapshot());
  const std::uint64_t extent = TRY(picture->Extent());
  const std::uint64_t stride = sample == 0 || sample >= extent ? 1 : extent / sample;
  Count count;
  for (std::uint64_t after = 0;;) {
    const auto page = TRY(picture->Scan(after, stride == 1 ? kPage : 1));
    for (const store::PlacedRecord& item : page.items) {
      const auto opened =
          station.vault->Load(*picture, item.record.id, engine::Vault::Material::kOpen);
      if (!opened) {
        if (++count.failed <= kMostNamed) {
          std::cerr << "dare-kms: error: " << item.record.id << ": " << opened.error().message
                    << std::endl;
        }
      } else {
        ++(opened->object.material.empty() ? count.without : count.opened);
      }
    }
    if (page.next == 0 || page.items.empty()) return count;
    after = page.next + (stride - 1);
  }
}

}  // namespace

Result<void> HsmDrill(const HsmRestoreOptions& options) {
  server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(config.secure_heap_bytes, config.crypto_policy));
  ScratchToken scratch;  // goes last
  KeyStation station;
  station.store = TRY(OpenStore(config, StoreUse::kRead));
  const auto shares = TRY(CollectShares(options.share_files));
  const custody::KeyBackup backup = TRY(FindBackup(*station.store, options.backup_file, shares));
  SecretBytes key = TRY(custody::Recover(backup, shares));
  const custody::CustodyKey known = TRY(custody::FindUnverified(*station.store, backup.key_id));
  // Under the name of a token that the record expects to hold the key.
  config.hsm = TRY(scratch.Make(known.holders.empty() ? "drill" : known.holders.front().token));
  station.tokens = std::make_shared<ConfiguredTokens>(config.hsm, SystemClock::Get());
  std::vector<std::shared_ptr<hsm::Sealer>> at_hand;
  at_hand.push_back(
      TRY(ThroughToken(*station.tokens, station.tokens, backup, known.mechanism, std::move(key))));
  TRY(OpenKeys(config, station, std::move(at_hand)));
  const Count count = TRY(OpenRecords(station, options.sample));
  std::cout << "drill: " << count.opened << " records opened, " << count.without
            << " hold no key any more, " << count.failed << " failed; the scratch token is gone"
            << std::endl;
  if (count.failed != 0) {
    return Error(Code::kDamaged, std::to_string(count.failed) + " records did not open");
  }
  return {};
}

}  // namespace dare::kms
