#pragma once

#include <openssl/core.h>

// ansi_x931.h as a random generator of an OpenSSL provider, so that OpenSSL's own key generation
// can draw on it. Only random_source.cc knows this.
namespace dare::crypto {

inline constexpr char kAnsiX931Provider[] = "dare-ansi-x9.31";
inline constexpr char kAnsiX931Rand[] = "ANSI-X9.31";

int InitAnsiX931Provider(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* in,
                         const OSSL_DISPATCH** out, void** context) noexcept;

}  // namespace dare::crypto
