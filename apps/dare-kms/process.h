#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "crypto/fips_policy.h"

namespace dare::kms {

// Before the first secret: no core dumps, no ptrace by others, files private by default, keys in
// locked memory, computing as `policy` says; `secret_memory` as in kms.toml(5): "auto" hides the
// keys from the kernel where it can, "off" does not. kExhausted when the memory cannot be locked,
// kUnsupported when the policy asks for a provider that is not there.
Result<void> HardenProcess(std::size_t secure_heap_bytes, const crypto::PolicyChoice& policy,
                           std::string_view secret_memory = "auto");

// Before there is a second thread: this process and what it starts get no new privileges, and give
// up every capability but that to open ports under 1024, where `low_ports` says that it is needed,
// and for root that to open files of others (CAP_DAC_OVERRIDE).
Result<void> GiveUpPrivileges(bool low_ports);

// Tells systemd ("READY=1") when it asked to be told ($NOTIFY_SOCKET); nothing otherwise.
// sd_notify(3).
void NotifySystemd(std::string_view state);

// Blocks the signals that end the program in this thread and those it starts: before any thread.
void BlockEndSignals();
// Waits for one of them and gives its number.
int WaitForEndSignal();

}  // namespace dare::kms
