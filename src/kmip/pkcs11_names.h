#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dare::kmip {

// The names of PKCS#11 that KMIP 2.x carries as numbers. Its tables do not list them: a function is
// its place in CK_FUNCTION_LIST_3_0, counted from 1 ("C_Initialize"), a return code its CK_RV
// ("OK": without the prefix). Empty and nothing where there is none.
std::string_view Pkcs11FunctionName(std::uint32_t value);
std::optional<std::uint32_t> Pkcs11FunctionByName(std::string_view name);
std::string_view Pkcs11ReturnCodeName(std::uint32_t value);
std::optional<std::uint32_t> Pkcs11ReturnCodeByName(std::string_view name);

}  // namespace dare::kmip
