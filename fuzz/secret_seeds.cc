// Writes the seeds of corpus/secret: secrets of each form, and messages whose context says
// something that no writer of ours would.
#include <cstdio>
#include <map>
#include <string>

#include "base/file.h"
#include "envelope/message_sealer.h"
#include "esdk_keys.h"
#include "secrets/secret_message.h"

namespace dare::secrets {
namespace {

struct Seeds {
  std::string folder;

  void Save(const std::string& name, ByteView bytes) const {
    CHECK(WriteFileDurably(folder + "/" + name, bytes, 0644).has_value());
  }
};

void WriteSecrets(const Seeds& seeds) {
  const envelope::Keyring& keks = envelope::KeysForFuzz();  // first: it makes the secure heap
  for (const SecretForm form : {SecretForm::kHex, SecretForm::kBase64Url, SecretForm::kPassphrase,
                                SecretForm::kText, SecretForm::kBinary}) {
    const SecretFacts facts{.name = "restic", .form = form, .made = 1'764'374'087};
    const SecretBytes value = SecretBytes::CopyOf(AsBytes("not a secret")).value();
    const Bytes message = SealSecret(facts, value, keks).value();
    seeds.Save(std::string(FormName(form)), message);
    if (form == SecretForm::kText) seeds.Save("cut", ByteView(message).first(message.size() - 3));
  }
}

void WriteOthers(const Seeds& seeds) {
  const std::map<std::string, std::map<std::string, std::string>> contexts = {
      {"no-context", {}},
      {"later-version", {{"dare-secret", "2"}, {"name", "a"}}},
      {"bad-name", {{"dare-secret", "1"}, {"form", "text"}, {"made", "1"}, {"name", "../a"}}},
      {"bad-time", {{"dare-secret", "1"}, {"form", "text"}, {"made", "-01"}, {"name", "a"}}},
      {"bad-form", {{"dare-secret", "1"}, {"form", "poem"}, {"made", "1"}, {"name", "a"}}},
      {"more-pairs",
       {{"dare-secret", "1"}, {"form", "text"}, {"made", "1"}, {"name", "a"}, {"tenant", "acme"}}}};
  for (const auto& [name, pairs] : contexts) {
    envelope::MessageOptions options;
    options.frame_length = 4096;
    for (const auto& [key, value] : pairs) CHECK(options.context.Add(key, value).has_value());
    auto sealer = envelope::MessageSealer::Create(envelope::KeysForFuzz(), options).value();
    seeds.Save(name, std::move(sealer).SealWhole(AsBytes("not a secret")).value());
  }
}

}  // namespace
}  // namespace dare::secrets

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: secret_seeds FOLDER\n");
    return 2;
  }
  const dare::secrets::Seeds seeds{argv[1]};
  dare::secrets::WriteSecrets(seeds);
  dare::secrets::WriteOthers(seeds);
  return 0;
}
