#pragma once

#include <functional>
#include <optional>

#include "envelope/message_opener.h"
#include "tree/open_tree.h"

// Looking into a sealed tree without opening it into a folder.
namespace dare::tree {

// Calls `each` with the entries that `options.only` wants, in their order, once the whole manifest
// was found good. Reads no content. The errors of OpenTree.
Result<OpenTreeSummary> ListTree(const SealedFolder& folder, const OpenTreeOptions& options,
                                 const std::function<void(const Entry&)>& each);

// Writes the content of the file `options.only` to `out`, holes as zeroes, or the part `range` of
// it: then only what that needs is read and checked. Gives the file's entry. kInvalidArgument when
// it is no file, or the range begins behind its end. When it turns out damaged, what was written
// before is authentic, but not the whole.
Result<Entry> ReadTreeFile(const SealedFolder& folder, const OpenTreeOptions& options,
                           const std::optional<envelope::PlainRange>& range,
                           envelope::ByteSink& out);

}  // namespace dare::tree
