#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "audit/witness.h"

namespace dare::audit {

// One message of RFC 5424 with a checkpoint: facility 13 (log audit), severity notice, and as its
// text a JSON object with the member `checkpoint`, in ASCII. kMalformed when it is no checkpoint.
Result<std::string> SyslogMessage(const std::string& checkpoint);

// `place`: as SyslogPlace::Make takes it. Newest never knows: what was sent is gone.
// kInvalidArgument for any other place.
Result<std::unique_ptr<Witness>> MakeSyslogWitness(std::string_view place);

}  // namespace dare::audit
