#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "base/file.h"
#include "client/key_directory.h"
#include "session.h"

namespace dare::cli {
namespace {

struct ExportCommand {
  std::vector<std::string> keys;
  std::string to;
  bool force = false;
};

// Room for everything from the start, so that no half-written copy is left behind by growing.
constexpr std::size_t kRoomForKey = 4096;

void AppendText(WipingBytes& out, std::string_view text) { Append(out, AsBytes(text)); }

// Text as JSON, quoted.
void AppendQuoted(WipingBytes& out, const std::string& text) {
  AppendText(out, boost::json::serialize(boost::json::value(text)));
}

void AppendHex(WipingBytes& out, ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out.push_back(static_cast<std::uint8_t>(kDigits[byte >> 4]));
    out.push_back(static_cast<std::uint8_t>(kDigits[byte & 15]));
  }
}

void AppendKey(WipingBytes& out, const std::string& label, const std::string& key_namespace,
               const std::string& id, const SecretBytes& material) {
  AppendText(out, "  ");
  AppendQuoted(out, label);
  AppendText(out, ": {\"type\": \"raw-aes\", \"namespace\": ");
  AppendQuoted(out, key_namespace);
  AppendText(out, ", \"name\": ");
  AppendQuoted(out, id);
  AppendText(out, ", \"material_hex\": \"");
  AppendHex(out, material.Reveal());
  AppendText(out, "\"}");
}

Result<void> Export(Session& session, const ExportCommand& command) {
  client::KmsClient* kms = TRY(session.Kms());
  client::KeyDirectory directory(*kms);
  WipingBytes file;
  file.reserve(command.keys.size() * kRoomForKey);
  AppendText(file, "{\n");
  for (std::size_t i = 0; i < command.keys.size(); ++i) {
    const std::string id = TRY(directory.Resolve(command.keys[i]));
    const Result<SecretBytes> material = directory.Export(id);
    if (!material) return material.error().In(command.keys[i]);
    if (i != 0) AppendText(file, ",\n");
    AppendKey(file, command.keys[i], kms->config().key_namespace, id, *material);
  }
  AppendText(file, "\n}\n");
  Result<void> written = WriteFileDurably(command.to, file, 0600, command.force);
  if (!written && written.error().code == Code::kAlreadyExists) {
    return Error(Code::kAlreadyExists, written.error().message + "; --force writes over it");
  }
  return written;
}

}  // namespace

void AddKeyExport(CLI::App& key, Session& session) {
  const auto command = std::make_shared<ExportCommand>();
  CLI::App* verb = key.add_subcommand(
      "export", "Write extractable keys to a file that opens sealed files without key server");
  verb->add_option("KEY", command->keys, "Names or ids")->required();
  verb->add_option("--to", command->to, "The file, for \"dare open --offline --keys\"; mode 0600")
      ->type_name("FILE.json")
      ->required();
  verb->add_flag("-f,--force", command->force, "Write over FILE.json when it exists");
  verb->callback([&session, command] {
    session.action = [&session, command] { return Export(session, *command); };
  });
}

}  // namespace dare::cli
