// Any bytes as the file of a secret: nothing may crash or take memory that a length field asked
// for; what opens is what its own facts say, under its own name only, and sealed again it opens
// again.
#include "base/check.h"
#include "esdk_keys.h"
#include "secrets/secret_message.h"

namespace dare::secrets {
namespace {

void TryFile(ByteView message) {
  const envelope::Keyring& keks = envelope::KeysForFuzz();
  const Result<SecretFacts> facts = ReadFacts(message);
  const std::string name = facts ? facts->name : "restic";
  const Result<OpenedSecret> opened = OpenSecret(message, name, keks);
  if (!opened) return;
  CHECK(facts.has_value() && CheckName(name).has_value() && opened->facts.name == name);
  CHECK(!OpenSecret(message, name + "x", keks).has_value());
  const Result<Bytes> again = SealSecret(opened->facts, opened->value, keks);
  CHECK(again.has_value());
  const Result<OpenedSecret> reopened = OpenSecret(*again, name, keks);
  CHECK(reopened.has_value() && reopened->value == opened->value &&
        reopened->facts.made == facts->made);
}

}  // namespace
}  // namespace dare::secrets

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::secrets::TryFile({data, size});
  return 0;
}
