#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"

// Reading other people's known answers in tests. Nothing here is linked into a program.
namespace dare::crypto {

// One record of a NIST CAVP response file: "K", "C", "PT" … to hexadecimal text; a bare FAIL gives
// "FAIL". The headers in brackets that stand before it are in it too: "[ENCRYPT]", "[Keylen]".
using NistRecord = std::map<std::string, std::string>;

// Empty where ../shared has no such file. `path` is relative to the vectors folder.
std::vector<NistRecord> ReadNistRecords(const std::string& path);

// One test of a Wycheproof file with the fields of its group beside its own, numbers as text.
using WycheproofTest = std::map<std::string, std::string>;

// Empty where ../shared has no such file.
std::vector<WycheproofTest> ReadWycheproof(const std::string& path);

// CHECKs that the text is hexadecimal.
Bytes Hex(std::string_view text);

}  // namespace dare::crypto
