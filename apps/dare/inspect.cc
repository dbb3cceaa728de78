#include "envelope/inspect.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "session.h"
#include "text.h"
#include "tree/inspect_tree.h"
#include "tree/sealed_folder.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

struct InspectCommand {
  std::string file;
  bool json = false;
};

const char* SlotText(envelope::SlotState state) {
  switch (state) {
    case envelope::SlotState::kPresent:
      return "present";
    case envelope::SlotState::kReplacing:
      return "being replaced";
    case envelope::SlotState::kDamaged:
      return "damaged";
  }
  return "damaged";
}

std::string SuiteText(const envelope::AlgorithmSuite& suite) {
  char text[8];
  (void)std::snprintf(text, sizeof text, "0x%04X", static_cast<unsigned>(suite.id));
  return text;
}

json::array KeysOf(const envelope::MessageHeader& header) {
  json::array keys;
  for (const envelope::EncryptedDataKey& edk : header.edks) {
    keys.push_back(json::object{{"namespace", edk.provider_id}, {"key", KeyNameOf(edk)}});
  }
  return keys;
}

// Every field of a header, as the cases of published messages name them.
json::object HeaderToJson(const envelope::MessageHeader& header) {
  json::object context;
  for (const auto& [key, value] : header.context.pairs()) context[key] = value;
  json::array edks;
  for (const envelope::EncryptedDataKey& edk : header.edks) {
    edks.push_back(json::object{{"provider_id", edk.provider_id},
                                {"provider_info_hex", ToHex(edk.provider_info)},
                                {"ciphertext_length", edk.ciphertext.size()}});
  }
  return json::object{{"version", header.suite->header_version},
                      {"suite", SuiteText(*header.suite).substr(2)},
                      {"content_type", static_cast<int>(header.content_type)},
                      {"frame_length", header.frame_length},
                      {"message_id", ToHex(header.message_id)},
                      {"encryption_context", std::move(context)},
                      {"edks", std::move(edks)},
                      {"header_bytes", header.size()}};
}

using Slots = std::array<envelope::Slot, envelope::kSlotCount>;

json::array SlotsToJson(const Slots& all) {
  json::array slots;
  for (const envelope::Slot& slot : all) {
    json::object entry{{"state", SlotText(slot.state)}};
    if (slot.state == envelope::SlotState::kPresent) {
      entry["block_id"] = slot.block_id;
      entry["generation"] = slot.generation;
      entry["keys"] = KeysOf(slot.header);
      entry["header"] = HeaderToJson(slot.header);
    }
    slots.push_back(std::move(entry));
  }
  return slots;
}

json::object ToJson(const std::string& file, const envelope::MessageFacts& facts) {
  json::object out{{"file", file}, {"kind", "message"}, {"file_bytes", facts.file_bytes}};
  if (facts.plaintext_bytes) out["plaintext_bytes"] = *facts.plaintext_bytes;
  out["suite"] = SuiteText(*facts.header.suite);
  out["commits"] = facts.header.suite->commits;
  out["signed"] = facts.header.suite->signature != envelope::FooterSignature::kNone;
  out["frame_bytes"] = facts.header.frame_length;
  out["message_id"] = ToHex(facts.header.message_id);
  json::object header = HeaderToJson(facts.header);
  out["context"] = header["encryption_context"];
  out["keys"] = KeysOf(facts.header);
  header["message_bytes"] = facts.file_bytes;
  out["header"] = std::move(header);
  return out;
}

json::object ToJson(const std::string& file, const envelope::SealedFileFacts& facts) {
  json::object out{{"file", file}, {"kind", "sealed-file"}, {"file_bytes", facts.file_bytes}};
  if (facts.plaintext_bytes) out["plaintext_bytes"] = *facts.plaintext_bytes;
  const envelope::MessageHeader& data = facts.data_header;
  out["suite"] = SuiteText(*data.suite);
  out["frame_bytes"] = data.frame_length;
  out["message_id"] = ToHex(data.message_id);
  json::object header = HeaderToJson(data);
  out["context"] = header["encryption_context"];
  out["signed"] = data.suite->signature != envelope::FooterSignature::kNone;
  header["message_bytes"] = facts.file_bytes - envelope::kKeyBlockAreaSize;
  out["header"] = std::move(header);
  out["slots"] = SlotsToJson(facts.slots);
  out["slots_identical"] = facts.slots_identical;
  if (facts.current_slot) out["current_slot"] = *facts.current_slot;
  return out;
}

std::string SuiteLine(const envelope::AlgorithmSuite& suite) {
  std::string text = SuiteText(suite);
  text += suite.commits ? " (AES-256-GCM, key committing" : " (AES-GCM, not key committing";
  if (suite.signature != envelope::FooterSignature::kNone) text += ", signed";
  return text + ")";
}

void PrintKeys(const envelope::MessageHeader& header) {
  for (const envelope::EncryptedDataKey& edk : header.edks) {
    std::cout << "    wrapped by " << Printable(edk.provider_id) << " key "
              << Printable(KeyNameOf(edk)) << "\n";
  }
}

// What a sealed file's data message and a bare message have in common.
void PrintMessage(const envelope::MessageHeader& header,
                  const std::optional<std::uint64_t>& plaintext_bytes) {
  if (plaintext_bytes) {
    std::cout << "  content      " << SizeText(*plaintext_bytes) << " (" << *plaintext_bytes
              << " bytes)\n";
  }
  std::cout << "  suite        " << SuiteLine(*header.suite) << "\n  frames       "
            << (header.content_type == envelope::ContentType::kFramed
                    ? SizeText(header.frame_length)
                    : std::string("none, one block"))
            << "\n  message      " << ToHex(header.message_id) << "\n";
  for (const auto& [key, value] : header.context.pairs()) {
    std::cout << "  context      " << Printable(key) << " = " << Printable(value) << "\n";
  }
}

void PrintSlots(const Slots& slots, std::optional<std::size_t> current) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const envelope::Slot& slot = slots[i];
    std::cout << "  key block " << i + 1 << "  " << SlotText(slot.state);
    if (slot.state == envelope::SlotState::kPresent) {
      std::cout << ", " << Printable(slot.block_id) << ", generation " << slot.generation;
    }
    std::cout << (current == i ? ", current\n" : "\n");
    PrintKeys(slot.header);
  }
}

void PrintText(const std::string& file, const envelope::SealedFileFacts& facts) {
  std::cout << file << ": sealed file, " << SizeText(facts.file_bytes) << "\n";
  PrintMessage(facts.data_header, facts.plaintext_bytes);
  PrintSlots(facts.slots, facts.current_slot);
  std::cout << "nothing above is verified: that takes the key server (dare open)\n";
}

void PrintText(const std::string& file, const envelope::MessageFacts& facts) {
  std::cout << file << ": ESDK message, " << SizeText(facts.file_bytes) << "\n";
  PrintMessage(facts.header, facts.plaintext_bytes);
  PrintKeys(facts.header);
  std::cout << "nothing above is verified: that takes a key (dare open --message)\n";
}

json::object TreeToJson(const std::string& path, const tree::SealedTreeFacts& facts) {
  json::object out{{"tree", path},
                   {"generation", facts.generation},
                   {"manifest_bytes", facts.manifest_bytes},
                   {"manifest_id", ToHex(facts.manifest.message_id)},
                   {"unfinished", facts.unfinished}};
  json::object context;
  for (const auto& [key, value] : facts.manifest.context.pairs()) context[key] = value;
  out["context"] = context;
  out["slots"] = SlotsToJson(facts.slots);
  out["slots_identical"] = facts.slots_identical;
  if (facts.current_slot) out["current_slot"] = *facts.current_slot;
  return out;
}

void PrintTree(const std::string& path, const tree::SealedTreeFacts& facts) {
  std::cout << path << ": sealed folder, generation " << Printable(facts.generation)
            << "\n  manifest     " << ToHex(facts.manifest.message_id) << ", "
            << SizeText(facts.manifest_bytes) << "\n";
  if (facts.unfinished) std::cout << "  a run is under way, or was interrupted\n";
  for (const auto& [key, value] : facts.manifest.context.pairs()) {
    std::cout << "  context      " << Printable(key) << " = " << Printable(value) << "\n";
  }
  PrintSlots(facts.slots, facts.current_slot);
  std::cout << "nothing above is verified: that takes the key server (dare verify)\n";
}

Result<void> InspectFolder(const InspectCommand& command) {
  const tree::SealedTreeFacts facts = TRY(tree::InspectTree(command.file));
  if (command.json) {
    std::cout << TreeToJson(command.file, facts) << "\n";
  } else {
    PrintTree(command.file, facts);
  }
  return {};
}

template <typename Facts>
Result<void> Print(const InspectCommand& command, const Facts& facts) {
  if (command.json) {
    std::cout << ToJson(command.file, facts) << "\n";
  } else {
    PrintText(command.file, facts);
  }
  return {};
}

Result<void> Inspect(const InspectCommand& command) {
  if (tree::IsSealedTree(command.file)) return InspectFolder(command);
  const auto facts = envelope::InspectFile(command.file);
  if (facts) return Print(command, *facts);
  if (facts.error().code != Code::kDamaged) return facts.error();
  const auto message = envelope::InspectMessageFile(command.file);
  if (message) return Print(command, *message);
  return facts.error();
}

}  // namespace

void AddInspect(CLI::App& app, Session& session) {
  const auto command = std::make_shared<InspectCommand>();
  CLI::App* verb = app.add_subcommand(
      "inspect",
      "Tell what a sealed file or ESDK message says of itself; needs no key and no key server");
  verb->add_option("FILE", command->file, "A sealed file, or a bare message")->required();
  verb->add_flag("--json", command->json, "As a JSON object");
  verb->callback([&session, command] { session.action = [command] { return Inspect(*command); }; });
}

}  // namespace dare::cli
