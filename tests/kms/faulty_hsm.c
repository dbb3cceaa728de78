// A PKCS#11 module that is SoftHSM2 until the file named by $DARE_TEST_HSM_GONE exists: then every
// call that needs the token says CKR_DEVICE_REMOVED, as an HSM whose cable was pulled does.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <unistd.h>

static CK_FUNCTION_LIST_PTR real;
static CK_FUNCTION_LIST list;

static int Gone(void) {
  const char* const file = getenv("DARE_TEST_HSM_GONE");
  return file != NULL && access(file, F_OK) == 0;
}

#define FORWARD(name, parameters, arguments) \
  static CK_RV Faulty##name parameters { return Gone() ? CKR_DEVICE_REMOVED : real->C_##name arguments; }

FORWARD(GetTokenInfo, (CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info), (slot, info))
FORWARD(OpenSession,
        (CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR data, CK_NOTIFY notify,
         CK_SESSION_HANDLE_PTR session),
        (slot, flags, data, notify, session))
FORWARD(GetSessionInfo, (CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR info), (session, info))
FORWARD(Login, (CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG size),
        (session, user, pin, size))
FORWARD(FindObjectsInit, (CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR attributes, CK_ULONG count),
        (session, attributes, count))
FORWARD(GetAttributeValue,
        (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes,
         CK_ULONG count),
        (session, object, attributes, count))
FORWARD(EncryptInit,
        (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key),
        (session, mechanism, key))
FORWARD(Encrypt,
        (CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_size, CK_BYTE_PTR out,
         CK_ULONG_PTR out_size),
        (session, in, in_size, out, out_size))
FORWARD(DecryptInit,
        (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key),
        (session, mechanism, key))
FORWARD(Decrypt,
        (CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_size, CK_BYTE_PTR out,
         CK_ULONG_PTR out_size),
        (session, in, in_size, out, out_size))
FORWARD(SignInit, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key),
        (session, mechanism, key))
FORWARD(Sign,
        (CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_size, CK_BYTE_PTR out,
         CK_ULONG_PTR out_size),
        (session, in, in_size, out, out_size))

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out) {
  if (real == NULL) {
    void* const module = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) return CKR_GENERAL_ERROR;
    const CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
    if (get == NULL || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
    list = *real;
    list.C_GetFunctionList = C_GetFunctionList;
    list.C_GetTokenInfo = FaultyGetTokenInfo;
    list.C_OpenSession = FaultyOpenSession;
    list.C_GetSessionInfo = FaultyGetSessionInfo;
    list.C_Login = FaultyLogin;
    list.C_FindObjectsInit = FaultyFindObjectsInit;
    list.C_GetAttributeValue = FaultyGetAttributeValue;
    list.C_EncryptInit = FaultyEncryptInit;
    list.C_Encrypt = FaultyEncrypt;
    list.C_DecryptInit = FaultyDecryptInit;
    list.C_Decrypt = FaultyDecrypt;
    list.C_SignInit = FaultySignInit;
    list.C_Sign = FaultySign;
  }
  *out = &list;
  return CKR_OK;
}
