#include "hsm/pkcs11.h"

#include <cstdio>
#include <string>

namespace dare::hsm {
namespace {

// Every error number of PKCS#11 2.40, with what it means to us. Source: pkcs11-base v2.40,
// section 5.1.
struct Row {
  CK_RV rv;
  const char* name;
  Code code;
  bool lost;
};

#define ROW(name, code, lost) \
  { name, #name, Code::code, lost }
constexpr Row kRows[] = {
    ROW(CKR_CANCEL, kUnavailable, false),
    ROW(CKR_HOST_MEMORY, kExhausted, false),
    ROW(CKR_SLOT_ID_INVALID, kUnavailable, true),
    ROW(CKR_GENERAL_ERROR, kUnavailable, false),
    ROW(CKR_FUNCTION_FAILED, kUnavailable, false),
    ROW(CKR_ARGUMENTS_BAD, kInternal, false),
    ROW(CKR_NO_EVENT, kInternal, false),
    ROW(CKR_NEED_TO_CREATE_THREADS, kUnsupported, false),
    ROW(CKR_CANT_LOCK, kUnsupported, false),
    ROW(CKR_ATTRIBUTE_READ_ONLY, kDenied, false),
    ROW(CKR_ATTRIBUTE_SENSITIVE, kDenied, false),
    ROW(CKR_ATTRIBUTE_TYPE_INVALID, kUnsupported, false),
    ROW(CKR_ATTRIBUTE_VALUE_INVALID, kUnsupported, false),
    ROW(CKR_ACTION_PROHIBITED, kDenied, false),
    ROW(CKR_DATA_INVALID, kInvalidArgument, false),
    ROW(CKR_DATA_LEN_RANGE, kInvalidArgument, false),
    ROW(CKR_DEVICE_ERROR, kUnavailable, true),
    ROW(CKR_DEVICE_MEMORY, kExhausted, false),
    ROW(CKR_DEVICE_REMOVED, kUnavailable, true),
    ROW(CKR_ENCRYPTED_DATA_INVALID, kDamaged, false),
    ROW(CKR_ENCRYPTED_DATA_LEN_RANGE, kDamaged, false),
    ROW(CKR_FUNCTION_CANCELED, kUnavailable, false),
    ROW(CKR_FUNCTION_NOT_PARALLEL, kInternal, false),
    ROW(CKR_FUNCTION_NOT_SUPPORTED, kUnsupported, false),
    ROW(CKR_KEY_HANDLE_INVALID, kUnavailable, true),
    ROW(CKR_KEY_SIZE_RANGE, kUnsupported, false),
    ROW(CKR_KEY_TYPE_INCONSISTENT, kInvalidArgument, false),
    ROW(CKR_KEY_NOT_NEEDED, kInternal, false),
    ROW(CKR_KEY_CHANGED, kInternal, false),
    ROW(CKR_KEY_NEEDED, kInternal, false),
    ROW(CKR_KEY_INDIGESTIBLE, kDenied, false),
    ROW(CKR_KEY_FUNCTION_NOT_PERMITTED, kDenied, false),
    ROW(CKR_KEY_NOT_WRAPPABLE, kDenied, false),
    ROW(CKR_KEY_UNEXTRACTABLE, kDenied, false),
    ROW(CKR_MECHANISM_INVALID, kUnsupported, false),
    ROW(CKR_MECHANISM_PARAM_INVALID, kUnsupported, false),
    ROW(CKR_OBJECT_HANDLE_INVALID, kUnavailable, true),
    ROW(CKR_OPERATION_ACTIVE, kUnavailable, true),
    ROW(CKR_OPERATION_NOT_INITIALIZED, kUnavailable, true),
    ROW(CKR_PIN_INCORRECT, kUnauthenticated, false),
    ROW(CKR_PIN_INVALID, kUnauthenticated, false),
    ROW(CKR_PIN_LEN_RANGE, kUnauthenticated, false),
    ROW(CKR_PIN_EXPIRED, kUnauthenticated, false),
    ROW(CKR_PIN_LOCKED, kUnauthenticated, false),
    ROW(CKR_SESSION_CLOSED, kUnavailable, true),
    ROW(CKR_SESSION_COUNT, kExhausted, false),
    ROW(CKR_SESSION_HANDLE_INVALID, kUnavailable, true),
    ROW(CKR_SESSION_PARALLEL_NOT_SUPPORTED, kInternal, false),
    ROW(CKR_SESSION_READ_ONLY, kDenied, false),
    ROW(CKR_SESSION_EXISTS, kConflict, false),
    ROW(CKR_SESSION_READ_ONLY_EXISTS, kConflict, false),
    ROW(CKR_SESSION_READ_WRITE_SO_EXISTS, kConflict, false),
    ROW(CKR_SIGNATURE_INVALID, kDamaged, false),
    ROW(CKR_SIGNATURE_LEN_RANGE, kDamaged, false),
    ROW(CKR_TEMPLATE_INCOMPLETE, kUnsupported, false),
    ROW(CKR_TEMPLATE_INCONSISTENT, kUnsupported, false),
    ROW(CKR_TOKEN_NOT_PRESENT, kUnavailable, true),
    ROW(CKR_TOKEN_NOT_RECOGNIZED, kUnavailable, true),
    ROW(CKR_TOKEN_WRITE_PROTECTED, kDenied, false),
    ROW(CKR_USER_ALREADY_LOGGED_IN, kConflict, false),
    ROW(CKR_USER_NOT_LOGGED_IN, kUnavailable, true),
    ROW(CKR_USER_PIN_NOT_INITIALIZED, kUnauthenticated, false),
    ROW(CKR_USER_TYPE_INVALID, kUnsupported, false),
    ROW(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, kConflict, false),
    ROW(CKR_USER_TOO_MANY_TYPES, kConflict, false),
    ROW(CKR_RANDOM_NO_RNG, kUnsupported, false),
    ROW(CKR_DOMAIN_PARAMS_INVALID, kUnsupported, false),
    ROW(CKR_CURVE_NOT_SUPPORTED, kUnsupported, false),
    ROW(CKR_BUFFER_TOO_SMALL, kInternal, false),
    ROW(CKR_INFORMATION_SENSITIVE, kDenied, false),
    ROW(CKR_CRYPTOKI_NOT_INITIALIZED, kUnavailable, true),
    ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED, kConflict, false),
    ROW(CKR_MUTEX_BAD, kInternal, false),
    ROW(CKR_MUTEX_NOT_LOCKED, kInternal, false),
    ROW(CKR_FIPS_SELF_TEST_FAILED, kUnavailable, false),
    ROW(CKR_LIBRARY_LOAD_FAILED, kUnavailable, false),
    ROW(CKR_PIN_TOO_WEAK, kUnauthenticated, false),
    ROW(CKR_FUNCTION_REJECTED, kDenied, false),
};
#undef ROW

const Row* Find(CK_RV rv) {
  for (const Row& row : kRows) {
    if (row.rv == rv) return &row;
  }
  return nullptr;
}

}  // namespace

std::string CkrName(CK_RV rv) {
  if (rv == CKR_OK) return "CKR_OK";
  if (const Row* row = Find(rv)) return row->name;
  char text[32];
  std::snprintf(text, sizeof text, "CKR_0x%08lx", rv);
  return text;
}

Error Pkcs11Error(std::string_view what, CK_RV rv) {
  const Row* const row = Find(rv);
  // A vendor's own number: nothing says that the request was wrong, so the token is to blame.
  const Code code = row == nullptr ? Code::kUnavailable : row->code;
  return Error(code, std::string(what) + ": " + CkrName(rv), rv);
}

bool MeansLost(CK_RV rv) {
  const Row* const row = Find(rv);
  return row != nullptr && row->lost;
}

}  // namespace dare::hsm
