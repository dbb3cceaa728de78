#pragma once

#include <string_view>

#include "base/result.h"

namespace dare::kms {

// What the kernel does for the process from now on; `mode` as in kms.toml(5), [process] seccomp:
//   "on"   the calls of the list and no others (EPERM): no programs are started, no processes made,
//          no memory is both written and executed, no sockets but of the network and local ones;
//   "log"  the others are done, and the kernel's audit log names them;
//   "off"  nothing is filtered.
// For this thread and all that it starts: called before there are others. Gives the mode that is in
// force: "off" in builds with sanitizers, which need more. kUnsupported where the kernel has no
// filters.
Result<std::string_view> FilterSystemCalls(std::string_view mode);

}  // namespace dare::kms
