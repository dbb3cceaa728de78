#pragma once

#include <string>
#include <vector>

#include "base/secret_bytes.h"

namespace dare::bench {

// Whole request messages of KMIP 2.1. `operation` is get, encrypt, encrypt-1k, locate or create;
// `ids` the objects to ask for (names for locate), taken in turn. One message for create; its keys
// have no name, so it can be sent again and again.
std::vector<WipingBytes> MakeRequests(const std::string& operation,
                                      const std::vector<std::string>& ids);
// A Create of an AES-256 key of this name.
WipingBytes MakeNamedCreate(const std::string& name);
// True when the answer's first item says Success.
bool Succeeded(ByteView answer);
// The Unique Identifier of an answer to Create.
std::string IdOf(ByteView answer);

}  // namespace dare::bench
