#include "envelope/keys_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/file.h"
#include "envelope/raw_rsa_keyring.h"
#include "envelope/secret_json.h"

namespace dare::envelope {
namespace {

constexpr std::size_t kMostKeys = 256;

// "zero-dek": a data key of all zeroes, of whichever length the suite has; nothing is unwrapped.
class ZeroDekWrapper final : public KeyWrapper {
 public:
  explicit ZeroDekWrapper(std::size_t size) : size_(size) {}
  Result<EncryptedDataKey> Wrap(const Dek&, ByteView) override {
    return Error(Code::kUnsupported, "a data key of zeroes is only read, never written");
  }
  Result<std::optional<Dek>> Unwrap(const EncryptedDataKey&, ByteView) override {
    return std::optional<Dek>(Dek(TRY(SecretBytes::OfSize(size_))));
  }

 private:
  const std::size_t size_;
};

// The members of one key as they stand in the file.
struct Entry {
  std::string label;
  std::optional<std::string> type, key_namespace, name, padding, hash;
  SecretBytes material_hex;
  SecretBytes private_pem;
};

Error BadKey(const std::string& label, std::string_view what) {
  return Error(Code::kInvalidArgument, "key \"" + label + "\" " + std::string(what));
}

Result<SecretBytes> DecodeHex(const Entry& entry) {
  const ByteView text = entry.material_hex.Reveal();
  const auto digit = [](std::uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  SecretBytes key = TRY(SecretBytes::OfSize(text.size() / 2));
  const MutableBytes out = key.RevealMutable();
  for (std::size_t i = 0; i < text.size() / 2; ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return BadKey(entry.label, "has material_hex that is not hexadecimal");
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if (text.size() % 2 != 0) return BadKey(entry.label, "has an odd number of hex digits");
  return key;
}

Result<RsaPadding> PaddingOf(const Entry& entry) {
  if (entry.padding == "pkcs1") return RsaPadding::kInsecurePkcs1;
  if (entry.padding != "oaep") return BadKey(entry.label, "needs a padding, oaep or pkcs1");
  if (entry.hash == "sha1") return RsaPadding::kOaepSha1;
  if (entry.hash == "sha256") return RsaPadding::kOaepSha256;
  if (entry.hash == "sha384") return RsaPadding::kOaepSha384;
  if (entry.hash == "sha512") return RsaPadding::kOaepSha512;
  return BadKey(entry.label, "needs a hash, sha1, sha256, sha384 or sha512");
}

Result<std::shared_ptr<KeyWrapper>> WrapperOf(const Entry& entry) {
  if (!entry.key_namespace || !entry.name) {
    return BadKey(entry.label, "needs a namespace and a name");
  }
  if (entry.type == "raw-aes") {
    SecretBytes key = TRY(DecodeHex(entry));
    auto aes = RawAesKeyWrapper::Create(*entry.key_namespace, *entry.name, std::move(key));
    if (!aes) return BadKey(entry.label, "is unusable: " + aes.error().message);
    return std::shared_ptr<KeyWrapper>(*std::move(aes));
  }
  const RsaPadding padding = TRY(PaddingOf(entry));
  auto rsa = RawRsaKeyWrapper::Create(*entry.key_namespace, *entry.name, entry.private_pem.Reveal(),
                                      padding);
  if (!rsa && rsa.error().code == Code::kDenied) {  // by the crypto policy
    return rsa.error().In("key \"" + entry.label + "\"");
  }
  if (!rsa) return BadKey(entry.label, "is unusable: " + rsa.error().message);
  return std::shared_ptr<KeyWrapper>(*std::move(rsa));
}

// The keys found at one level of the file.
struct FoundKeys {
  Keyring keyring;
  bool zero_dek = false;
  std::optional<std::string> without_type;  // an object that is no key

  Result<void> Add(const Entry& entry) {
    if (entry.type == "zero-dek") {
      zero_dek = true;
      return {};
    }
    if (entry.type != "raw-aes" && entry.type != "raw-rsa") {
      return BadKey(entry.label, "has an unknown type; known are raw-aes and raw-rsa");
    }
    if (keyring.size() == kMostKeys) {
      return Error(Code::kTooLarge, "more than " + std::to_string(kMostKeys) + " keys");
    }
    keyring.push_back(TRY(WrapperOf(entry)));
    return {};
  }
};

class KeysReader {
 public:
  explicit KeysReader(SecretJson json) : json_(std::move(json)) {}

  Result<Keyring> Read() {
    FoundKeys loose;
    std::optional<FoundKeys> listed;
    const auto member = [&](std::string name) -> Result<void> {
      if (TRY(json_.Peek()) != SecretJson::Kind::kObject) return json_.Skip();
      if (name != "keys") return ReadEntry(std::move(name), loose, nullptr);
      if (listed) return Error(Code::kInvalidArgument, "two members are called \"keys\"");
      listed.emplace();
      return ReadEntry(std::move(name), loose, &*listed);
    };
    TRY(json_.ReadObject(member));
    TRY(json_.End());
    const bool whole = listed && (!listed->keyring.empty() || listed->zero_dek);
    return Finish(whole ? *listed : loose);
  }

 private:
  // One key, or, where `inner` is given, an object whose members are keys.
  Result<void> ReadEntry(std::string label, FoundKeys& found, FoundKeys* inner) {
    Entry entry;
    entry.label = std::move(label);
    bool has_keys = false;
    const auto member = [&](std::string name) -> Result<void> {
      const SecretJson::Kind kind = TRY(json_.Peek());
      if (kind == SecretJson::Kind::kObject && inner != nullptr) {
        has_keys = true;
        return ReadEntry(std::move(name), *inner, nullptr);
      }
      if (kind != SecretJson::Kind::kString) return json_.Skip();
      return ReadMember(entry, name);
    };
    TRY(json_.ReadObject(member));
    if (entry.type) return found.Add(entry);
    if (!has_keys && !found.without_type) found.without_type = entry.label;
    return {};
  }

  Result<void> ReadMember(Entry& entry, const std::string& name) {
    if (name == "material_hex") return ReadSecret(entry, name, entry.material_hex);
    if (name == "private_pem") return ReadSecret(entry, name, entry.private_pem);
    const std::array<std::pair<std::string_view, std::optional<std::string>*>, 5> texts = {{
        {"type", &entry.type},
        {"namespace", &entry.key_namespace},
        {"name", &entry.name},
        {"padding", &entry.padding},
        {"hash", &entry.hash},
    }};
    for (const auto& [known, value] : texts) {
      if (name != known) continue;
      if (*value) return BadKey(entry.label, "has two members called " + name);
      *value = TRY(json_.ReadText());
      return {};
    }
    return json_.Skip();
  }

  Result<void> ReadSecret(const Entry& entry, const std::string& name, SecretBytes& value) {
    if (!value.empty()) return BadKey(entry.label, "has two members called " + name);
    value = TRY(json_.ReadSecret());
    return {};
  }

  static Result<Keyring> Finish(FoundKeys& found) {
    if (found.without_type) return BadKey(*found.without_type, "has no type");
    if (found.keyring.empty() && found.zero_dek) {
      for (const std::size_t size : {16, 24, 32}) {
        found.keyring.push_back(std::make_shared<ZeroDekWrapper>(size));
      }
    }
    if (found.keyring.empty()) return Error(Code::kInvalidArgument, "there are no keys in it");
    return std::move(found.keyring);
  }

  SecretJson json_;
};

}  // namespace

Result<Keyring> ReadKeys(ByteSource& in) {
  KeysReader reader(TRY(SecretJson::Create(in)));
  Result<Keyring> keys = reader.Read();
  if (!keys && keys.error().code == Code::kMalformed) {
    return Error(Code::kInvalidArgument, keys.error().message);
  }
  return keys;
}

Result<Keyring> ReadKeysFile(const std::string& path) {
  const bool standard = path == "-";
  const std::string name = standard ? "standard input" : path;
  FileDescriptor opened;
  if (!standard) {
    opened = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!opened) return IoError("cannot open " + name, errno);
  }
  FdSource in(standard ? STDIN_FILENO : opened.get(), name, nullptr);
  Result<Keyring> keys = ReadKeys(in);
  if (!keys) return keys.error().In(name);
  return keys;
}

bool OthersMayRead(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         (status.st_mode & 044) != 0;
}

}  // namespace dare::envelope
