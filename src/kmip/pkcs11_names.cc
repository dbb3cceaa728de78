#include "kmip/pkcs11_names.h"

#include <algorithm>
#include <iterator>

namespace dare::kmip {
namespace {

// In the order of CK_FUNCTION_LIST_3_0.
constexpr std::string_view kFunctions[] = {
    "C_Initialize",
    "C_Finalize",
    "C_GetInfo",
    "C_GetFunctionList",
    "C_GetSlotList",
    "C_GetSlotInfo",
    "C_GetTokenInfo",
    "C_GetMechanismList",
    "C_GetMechanismInfo",
    "C_InitToken",
    "C_InitPIN",
    "C_SetPIN",
    "C_OpenSession",
    "C_CloseSession",
    "C_CloseAllSessions",
    "C_GetSessionInfo",
    "C_GetOperationState",
    "C_SetOperationState",
    "C_Login",
    "C_Logout",
    "C_CreateObject",
    "C_CopyObject",
    "C_DestroyObject",
    "C_GetObjectSize",
    "C_GetAttributeValue",
    "C_SetAttributeValue",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_FindObjectsFinal",
    "C_EncryptInit",
    "C_Encrypt",
    "C_EncryptUpdate",
    "C_EncryptFinal",
    "C_DecryptInit",
    "C_Decrypt",
    "C_DecryptUpdate",
    "C_DecryptFinal",
    "C_DigestInit",
    "C_Digest",
    "C_DigestUpdate",
    "C_DigestKey",
    "C_DigestFinal",
    "C_SignInit",
    "C_Sign",
    "C_SignUpdate",
    "C_SignFinal",
    "C_SignRecoverInit",
    "C_SignRecover",
    "C_VerifyInit",
    "C_Verify",
    "C_VerifyUpdate",
    "C_VerifyFinal",
    "C_VerifyRecoverInit",
    "C_VerifyRecover",
    "C_DigestEncryptUpdate",
    "C_DecryptDigestUpdate",
    "C_SignEncryptUpdate",
    "C_DecryptVerifyUpdate",
    "C_GenerateKey",
    "C_GenerateKeyPair",
    "C_WrapKey",
    "C_UnwrapKey",
    "C_DeriveKey",
    "C_SeedRandom",
    "C_GenerateRandom",
    "C_GetFunctionStatus",
    "C_CancelFunction",
    "C_WaitForSlotEvent",
    "C_GetInterfaceList",
    "C_GetInterface",
    "C_LoginUser",
    "C_SessionCancel",
    "C_MessageEncryptInit",
    "C_EncryptMessage",
    "C_EncryptMessageBegin",
    "C_EncryptMessageNext",
    "C_MessageEncryptFinal",
    "C_MessageDecryptInit",
    "C_DecryptMessage",
    "C_DecryptMessageBegin",
    "C_DecryptMessageNext",
    "C_MessageDecryptFinal",
    "C_MessageSignInit",
    "C_SignMessage",
    "C_SignMessageBegin",
    "C_SignMessageNext",
    "C_MessageSignFinal",
    "C_MessageVerifyInit",
    "C_VerifyMessage",
    "C_VerifyMessageBegin",
    "C_VerifyMessageNext",
    "C_MessageVerifyFinal",
};

struct ReturnCode {
  std::uint32_t value;
  std::string_view name;
};

// By value.
constexpr ReturnCode kReturnCodes[] = {
    {0x000, "OK"},
    {0x001, "CANCEL"},
    {0x002, "HOST_MEMORY"},
    {0x003, "SLOT_ID_INVALID"},
    {0x005, "GENERAL_ERROR"},
    {0x006, "FUNCTION_FAILED"},
    {0x007, "ARGUMENTS_BAD"},
    {0x008, "NO_EVENT"},
    {0x009, "NEED_TO_CREATE_THREADS"},
    {0x00A, "CANT_LOCK"},
    {0x010, "ATTRIBUTE_READ_ONLY"},
    {0x011, "ATTRIBUTE_SENSITIVE"},
    {0x012, "ATTRIBUTE_TYPE_INVALID"},
    {0x013, "ATTRIBUTE_VALUE_INVALID"},
    {0x01B, "ACTION_PROHIBITED"},
    {0x020, "DATA_INVALID"},
    {0x021, "DATA_LEN_RANGE"},
    {0x030, "DEVICE_ERROR"},
    {0x031, "DEVICE_MEMORY"},
    {0x032, "DEVICE_REMOVED"},
    {0x040, "ENCRYPTED_DATA_INVALID"},
    {0x041, "ENCRYPTED_DATA_LEN_RANGE"},
    {0x042, "AEAD_DECRYPT_FAILED"},
    {0x050, "FUNCTION_CANCELED"},
    {0x051, "FUNCTION_NOT_PARALLEL"},
    {0x054, "FUNCTION_NOT_SUPPORTED"},
    {0x060, "KEY_HANDLE_INVALID"},
    {0x062, "KEY_SIZE_RANGE"},
    {0x063, "KEY_TYPE_INCONSISTENT"},
    {0x064, "KEY_NOT_NEEDED"},
    {0x065, "KEY_CHANGED"},
    {0x066, "KEY_NEEDED"},
    {0x067, "KEY_INDIGESTIBLE"},
    {0x068, "KEY_FUNCTION_NOT_PERMITTED"},
    {0x069, "KEY_NOT_WRAPPABLE"},
    {0x06A, "KEY_UNEXTRACTABLE"},
    {0x070, "MECHANISM_INVALID"},
    {0x071, "MECHANISM_PARAM_INVALID"},
    {0x082, "OBJECT_HANDLE_INVALID"},
    {0x090, "OPERATION_ACTIVE"},
    {0x091, "OPERATION_NOT_INITIALIZED"},
    {0x0A0, "PIN_INCORRECT"},
    {0x0A1, "PIN_INVALID"},
    {0x0A2, "PIN_LEN_RANGE"},
    {0x0A3, "PIN_EXPIRED"},
    {0x0A4, "PIN_LOCKED"},
    {0x0B0, "SESSION_CLOSED"},
    {0x0B1, "SESSION_COUNT"},
    {0x0B3, "SESSION_HANDLE_INVALID"},
    {0x0B4, "SESSION_PARALLEL_NOT_SUPPORTED"},
    {0x0B5, "SESSION_READ_ONLY"},
    {0x0B6, "SESSION_EXISTS"},
    {0x0B7, "SESSION_READ_ONLY_EXISTS"},
    {0x0B8, "SESSION_READ_WRITE_SO_EXISTS"},
    {0x0C0, "SIGNATURE_INVALID"},
    {0x0C1, "SIGNATURE_LEN_RANGE"},
    {0x0D0, "TEMPLATE_INCOMPLETE"},
    {0x0D1, "TEMPLATE_INCONSISTENT"},
    {0x0E0, "TOKEN_NOT_PRESENT"},
    {0x0E1, "TOKEN_NOT_RECOGNIZED"},
    {0x0E2, "TOKEN_WRITE_PROTECTED"},
    {0x0F1, "UNWRAPPING_KEY_SIZE_RANGE"},
    {0x0F2, "UNWRAPPING_KEY_TYPE_INCONSISTENT"},
    {0x100, "USER_ALREADY_LOGGED_IN"},
    {0x101, "USER_NOT_LOGGED_IN"},
    {0x102, "USER_PIN_NOT_INITIALIZED"},
    {0x103, "USER_TYPE_INVALID"},
    {0x104, "USER_ANOTHER_ALREADY_LOGGED_IN"},
    {0x105, "USER_TOO_MANY_TYPES"},
    {0x110, "WRAPPED_KEY_INVALID"},
    {0x112, "WRAPPED_KEY_LEN_RANGE"},
    {0x113, "WRAPPING_KEY_HANDLE_INVALID"},
    {0x114, "WRAPPING_KEY_SIZE_RANGE"},
    {0x115, "WRAPPING_KEY_TYPE_INCONSISTENT"},
    {0x120, "RANDOM_SEED_NOT_SUPPORTED"},
    {0x121, "RANDOM_NO_RNG"},
    {0x130, "DOMAIN_PARAMS_INVALID"},
    {0x140, "CURVE_NOT_SUPPORTED"},
    {0x150, "BUFFER_TOO_SMALL"},
    {0x160, "SAVED_STATE_INVALID"},
    {0x170, "INFORMATION_SENSITIVE"},
    {0x180, "STATE_UNSAVEABLE"},
    {0x190, "CRYPTOKI_NOT_INITIALIZED"},
    {0x191, "CRYPTOKI_ALREADY_INITIALIZED"},
    {0x1A0, "MUTEX_BAD"},
    {0x1A1, "MUTEX_NOT_LOCKED"},
    {0x1B0, "NEW_PIN_MODE"},
    {0x1B1, "NEXT_OTP"},
    {0x1C0, "EXCEEDED_MAX_ITERATIONS"},
    {0x1C1, "FIPS_SELF_TEST_FAILED"},
    {0x1C2, "LIBRARY_LOAD_FAILED"},
    {0x1C3, "PIN_TOO_WEAK"},
    {0x1C4, "PUBLIC_KEY_INVALID"},
    {0x200, "FUNCTION_REJECTED"},
    {0x201, "TOKEN_RESOURCE_EXCEEDED"},
    {0x202, "OPERATION_CANCEL_FAILED"},
    {0x203, "KEY_EXHAUSTED"},
};

}  // namespace

std::string_view Pkcs11FunctionName(std::uint32_t value) {
  return value >= 1 && value <= std::size(kFunctions) ? kFunctions[value - 1] : std::string_view();
}

std::optional<std::uint32_t> Pkcs11FunctionByName(std::string_view name) {
  const auto* found = std::find(std::begin(kFunctions), std::end(kFunctions), name);
  if (found == std::end(kFunctions)) return std::nullopt;
  return static_cast<std::uint32_t>(found - std::begin(kFunctions)) + 1;
}

std::string_view Pkcs11ReturnCodeName(std::uint32_t value) {
  for (const ReturnCode& code : kReturnCodes) {
    if (code.value == value) return code.name;
  }
  return {};
}

std::optional<std::uint32_t> Pkcs11ReturnCodeByName(std::string_view name) {
  for (const ReturnCode& code : kReturnCodes) {
    if (code.name == name) return code.value;
  }
  return std::nullopt;
}

}  // namespace dare::kmip
