#include "tree/inspect_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "tree/beneath.h"
#include "tree/manifest_file.h"

namespace dare::tree {
namespace {

Result<SealedTreeFacts> Inspect(int folder, const std::string& path) {
  SealedTreeFacts facts;
  const FileDescriptor block =
      TRY(OpenBeneath(folder, std::string(kKeyBlockName), O_RDONLY | O_NONBLOCK));
  const envelope::FileReader area_file = TRY(envelope::FileReader::Create(block.get(), path));
  Bytes area(envelope::kKeyBlockAreaSize);
  if (TRY(area_file.ReadAt(0, area)) != area.size()) return Error(Code::kDamaged, "too short");
  facts.slots = envelope::ExamineSlots(area);
  facts.slots_identical = std::equal(area.begin(), area.begin() + envelope::kSlotSize,
                                     area.begin() + envelope::kSlotSize);
  for (std::size_t i = 0; i < facts.slots.size(); ++i) {
    if (facts.slots[i].state != envelope::SlotState::kPresent) continue;
    if (!facts.current_slot ||
        facts.slots[i].generation > facts.slots[*facts.current_slot].generation) {
      facts.current_slot = i;
    }
  }
  if (!facts.current_slot) return Error(Code::kDamaged, "no key block");
  const FileDescriptor manifest =
      TRY(OpenBeneath(folder, std::string(kManifestName), O_RDONLY | O_NONBLOCK));
  const envelope::FileReader reader = TRY(envelope::FileReader::Create(manifest.get(), path));
  envelope::ReaderSource source(reader, 0);
  facts.manifest = TRY(envelope::ReadHeader(source, {}));
  facts.manifest_bytes = reader.size();
  const std::string* generation = facts.manifest.context.Find(kGenerationPair);
  if (generation == nullptr) return Error(Code::kDamaged, "no generation");
  facts.generation = *generation;
  for (const std::string_view name : {kNewManifestName, kResumeManifestName}) {
    struct stat status {};
    facts.unfinished |=
        ::fstatat(folder, std::string(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  }
  return facts;
}

}  // namespace

Result<SealedTreeFacts> InspectTree(const std::string& path) {
  const FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return IoError("cannot open " + path, errno);
  Result<SealedTreeFacts> facts = Inspect(folder.get(), path);
  if (!facts && (facts.error().code == Code::kDamaged || facts.error().detail == ENOENT)) {
    return Error(Code::kDamaged, path + ": not a sealed tree or damaged");
  }
  return facts;
}

}  // namespace dare::tree
