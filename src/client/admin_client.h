#pragma once

#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "client/config.h"

namespace dare::client {

// Asks a dare-kms to administer its store's keys: one request to the HTTPS port's /admin/v1/, shown
// with the machine's certificate, or with a person's token of OpenID Connect where one is given.
// Whoever it is must have the administrator role. The server is that of `enrolment.url` in
// client.toml. Blocks. Stateless.
//
// Gives the JSON of the answer. kUnavailable or kTimeout when the server cannot be reached or
// trusted; what it refused comes back as it named it: kDenied, kNotFound, kConflict, ….
Result<std::string> Administer(const Config& config, const std::string& method,
                               const std::string& path, const std::string& body = {},
                               const SecretBytes& token = {});

}  // namespace dare::client
