#pragma once

#include <string>
#include <vector>

namespace dare::hsm {

// What was tried with a TPM, and what came of it.
struct TpmFinding {
  std::string what;    // "seals and opens 32 bytes"
  bool works = false;  //
  std::string note;    // why not; or what was measured
};

struct TpmReport {
  std::vector<TpmFinding> findings;  // in the order of trying; ends with the first that failed
  // True when everything worked: it may hold root keys (`root` mode; it never seals records).
  bool usable() const;
};

// Tries everything that TpmSealer needs with throw-away objects, and what it must refuse: an
// altered record, another one's associated data, an object made outside and imported. Leaves
// nothing in the TPM. `tcti` as tpm2-tss writes it ("device:/dev/tpmrm0").
TpmReport CheckTpm(const std::string& tcti);

}  // namespace dare::hsm
