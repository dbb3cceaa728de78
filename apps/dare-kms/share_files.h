#pragma once

#include <string>
#include <vector>

#include "commands.h"
#include "custody/key_backup.h"
#include "store/object_store.h"

namespace dare::kms {

// Gives the shares away: each into a file of its own (0600) in the quorum's folder, beside the
// backup, or printed one after the other, each when the one before was taken. Nothing is
// overwritten: kAlreadyExists.
Result<void> HandOut(const custody::Ceremony& ceremony, const Quorum& quorum);

// Reads shares from files, or, where none are named, from standard input until there are as many as
// they say are needed; there a row that was mistyped can be typed again. All are of one ceremony.
Result<std::vector<custody::KeyShare>> CollectShares(const std::vector<std::string>& files);

// The backup that these shares open: out of a file, or where `file` is empty out of the store.
Result<custody::KeyBackup> FindBackup(const store::ObjectReader& reader, const std::string& file,
                                      const std::vector<custody::KeyShare>& shares);

}  // namespace dare::kms
