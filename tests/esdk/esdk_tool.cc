// For the tests only: seals, opens and rewraps files under AES keys out of files, so that stock
// ESDK readers can be given the same keys and no KMS is needed.
//
//   esdk_tool seal|open KEK IN OUT [FRAME_LENGTH]
//   esdk_tool rewrap OLD_KEK NEW_KEK[,NEW_KEK...] FILE
//   esdk_tool seal-secret|open-secret KEK IN OUT NAME
//   esdk_tool seal-values KEK IN OUT         IN twice under one DEK: OUT.0 and OUT.1
//   esdk_tool open-value KEK IN OUT          both for the context {table: people, column: name}
//
// KEK = NAMESPACE/NAME/PATH, PATH a 32-byte file of mode 0600. Exit codes as dare: 0, 1, 2, 5.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "envelope/rewrap.h"
#include "envelope/sealed_file.h"
#include "envelope/value.h"
#include "secrets/secret_message.h"

namespace dare::envelope {
namespace {

Result<std::shared_ptr<KeyWrapper>> ReadKek(const std::string& spec) {
  const std::size_t first = spec.find('/');
  const std::size_t second = first == std::string::npos ? first : spec.find('/', first + 1);
  if (second == std::string::npos) {
    return Error(Code::kInvalidArgument, "a KEK is NAMESPACE/NAME/PATH: " + spec);
  }
  SecretBytes key = TRY(ReadSecretFile(spec.substr(second + 1)));
  std::shared_ptr<KeyWrapper> wrapper = TRY(RawAesKeyWrapper::Create(
      spec.substr(0, first), spec.substr(first + 1, second - first - 1), std::move(key)));
  return wrapper;
}

Result<Keyring> ReadKeks(const std::string& specs) {
  Keyring keyring;
  for (std::size_t at = 0; at <= specs.size();) {
    const std::size_t end = std::min(specs.find(',', at), specs.size());
    keyring.push_back(TRY(ReadKek(specs.substr(at, end - at))));
    at = end + 1;
  }
  return keyring;
}

Result<void> SealSecret(const std::vector<std::string>& args, const Keyring& keks) {
  const SecretBytes value = TRY(ReadSecretFile(args[2]));
  const secrets::SecretFacts facts{.name = args[4], .form = secrets::SecretForm::kBinary};
  const Bytes message = TRY(secrets::SealSecret(facts, value, keks));
  return WriteFileDurably(args[3], message, 0600);
}

Result<void> OpenSecret(const std::vector<std::string>& args, const Keyring& keks) {
  const Bytes message = TRY(ReadFile(args[2]));
  const secrets::OpenedSecret opened = TRY(secrets::OpenSecret(message, args[4], keks));
  return WriteFileDurably(args[3], opened.value.Reveal(), 0600);
}

Result<EncryptionContext> ValueContext() {
  EncryptionContext context;
  TRY(context.AddPortable("table", "people"));
  TRY(context.AddPortable("column", "name"));
  return context;
}

Result<void> SealValues(const std::vector<std::string>& args, const Keyring& keks) {
  const EncryptionContext context = TRY(ValueContext());
  const Bytes plain = TRY(ReadFile(args[2]));
  const WrappedDek dek = TRY(MakeWrappedDek(keks, context.Serialize(), true));
  for (const char* which : {".0", ".1"}) {
    const Bytes sealed = TRY(SealValue(dek, context, plain));
    TRY(WriteFileDurably(args[3] + which, sealed, 0644));
  }
  return {};
}

Result<void> OpenOneValue(const std::vector<std::string>& args, const Keyring& keks) {
  const EncryptionContext context = TRY(ValueContext());
  const Bytes sealed = TRY(ReadFile(args[2]));
  const WipingBytes plain = TRY(OpenValue(sealed, context, keks));
  return WriteFileDurably(args[3], plain, 0600);
}

Result<void> Run(const std::vector<std::string>& args) {
  TRY(StartSecureHeap(1 << 20));
  const Keyring keks = TRY(ReadKeks(args[1]));
  if (args[0] == "seal-secret") return SealSecret(args, keks);
  if (args[0] == "open-secret") return OpenSecret(args, keks);
  if (args[0] == "seal-values") return SealValues(args, keks);
  if (args[0] == "open-value") return OpenOneValue(args, keks);
  if (args[0] == "rewrap") {
    const Keyring new_keks = TRY(ReadKeks(args[2]));
    TRY(RewrapFile(args[3], {keks, new_keks}));
    return {};
  }
  if (args[0] == "open") {
    TRY(OpenFile(args[2], args[3], keks, {}));
    return {};
  }
  SealOptions options;
  if (args.size() > 4) {
    options.frame_length = static_cast<std::uint32_t>(std::strtoul(args[4].c_str(), nullptr, 10));
  }
  TRY(SealFile(args[2], args[3], keks, options));
  return {};
}

}  // namespace
}  // namespace dare::envelope

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const std::map<std::string, std::size_t> verbs = {
      {"seal", 4},        {"open", 4},        {"rewrap", 4},    {"seal-secret", 5},
      {"open-secret", 5}, {"seal-values", 4}, {"open-value", 4}};
  const auto verb = args.empty() ? verbs.end() : verbs.find(args[0]);
  if (verb == verbs.end() || args.size() < verb->second) {
    std::fprintf(stderr, "esdk_tool: usage: see the top of esdk_tool.cc\n");
    return 2;
  }
  const auto result = dare::envelope::Run(args);
  if (result) return 0;
  std::fprintf(stderr, "esdk_tool: error: %s\n", result.error().message.c_str());
  return result.error().code == dare::Code::kDamaged ? 5 : 1;
}
