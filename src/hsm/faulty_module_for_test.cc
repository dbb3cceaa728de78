// A PKCS#11 module that is SoftHSM2 until it is told to fail: for what a software token never does
// by itself (pulled out, broken, network gone). Loaded by tests through
// hsm/faulty_token_for_test.h.
#include <dlfcn.h>
#include <stdlib.h>

#include <atomic>

#include "hsm/pkcs11.h"

namespace {

std::atomic<CK_RV> fault{CKR_OK};          // what every call below answers
std::atomic<CK_RV> decrypt_fault{CKR_OK};  // what C_Decrypt alone answers
std::atomic<int> faults_left{-1};          // -1: until told otherwise
std::atomic<unsigned long> logins{0};
std::atomic<long> sessions{0};  // open now
CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST ours;

CK_RV Fault() {
  const CK_RV rv = fault;
  if (rv == CKR_OK) return rv;
  if (faults_left > 0 && --faults_left == 0) fault = CKR_OK;
  return rv;
}

CK_RV OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify,
                  CK_SESSION_HANDLE* session) {
  CK_RV rv = Fault();
  if (rv == CKR_OK) rv = real->C_OpenSession(slot, flags, application, notify, session);
  if (rv == CKR_OK) ++sessions;
  return rv;
}
CK_RV CloseSession(CK_SESSION_HANDLE session) {
  const CK_RV rv = real->C_CloseSession(session);
  if (rv == CKR_OK) --sessions;
  return rv;
}
CK_RV CloseAllSessions(CK_SLOT_ID slot) {
  sessions = 0;  // tests use one token at a time
  return real->C_CloseAllSessions(slot);
}
CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char* pin, CK_ULONG size) {
  ++logins;
  return real->C_Login(session, user, pin, size);
}
CK_RV EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  const CK_RV rv = Fault();
  return rv != CKR_OK ? rv : real->C_EncryptInit(session, mechanism, key);
}
CK_RV DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  const CK_RV rv = Fault();
  return rv != CKR_OK ? rv : real->C_DecryptInit(session, mechanism, key);
}
CK_RV Decrypt(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_size, unsigned char* out,
              CK_ULONG* out_size) {
  const CK_RV rv = real->C_Decrypt(session, in, in_size, out, out_size);
  return decrypt_fault != CKR_OK ? decrypt_fault.load() : rv;
}

}  // namespace

extern "C" {

CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  void* const library = dlopen(getenv("DARE_TEST_REAL_MODULE"), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return CKR_GENERAL_ERROR;
  const auto get =
      reinterpret_cast<CK_RV (*)(CK_FUNCTION_LIST**)>(dlsym(library, "C_GetFunctionList"));
  if (get == nullptr || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  ours = *real;
  ours.C_OpenSession = OpenSession;
  ours.C_CloseSession = CloseSession;
  ours.C_CloseAllSessions = CloseAllSessions;
  ours.C_Login = Login;
  ours.C_EncryptInit = EncryptInit;
  ours.C_DecryptInit = DecryptInit;
  ours.C_Decrypt = Decrypt;
  *list = &ours;
  return CKR_OK;
}

void FaultyModuleFail(CK_RV rv, int times) {
  faults_left = times;
  fault = rv;
}
void FaultyModuleFailDecrypt(CK_RV rv) { decrypt_fault = rv; }
long FaultyModuleSessions() { return sessions; }
unsigned long FaultyModuleLogins() { return logins; }

}  // extern "C"
