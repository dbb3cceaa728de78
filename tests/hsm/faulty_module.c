// A PKCS#11 module that is another one (the one that $DARE_TEST_REAL_MODULE names, SoftHSM2 by default) until it is told
// to fail: for what a software token never does by itself. Copy it, and load the copy: its orders are in the file beside
// it, COPY.control, which the test makes, maps and changes while the module runs. The file is one row of six 64-bit
// numbers a function, in the order of the FUNCTIONS below:
//
//   calls      counted here, never reset
//   hanging    calls that hang now, counted here
//   left       how many calls obey the order, -1: all until it changes, 0: none
//   answer     the CKR_… to give, 0: the real module's
//   delay      microseconds to wait first
//   hang       while it is not 0, a call that obeys does not come back
//
// tests/support/faulty_hsm.py and src/hsm/faulty_token_for_test.h write it.
//
// $DARE_TEST_REFUSED, where it is set, names mechanisms that the token shall not have, as numbers in hexadecimal
// digits between commas: ",1087,1085,".
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

// name, parameters, arguments, and whether a call that fails still has to end an operation that was begun.
#define FUNCTIONS(F)                                                                                                   \
  F(GetSlotList, (CK_BBOOL a, CK_SLOT_ID_PTR b, CK_ULONG_PTR c), (a, b, c), 0)                                         \
  F(GetTokenInfo, (CK_SLOT_ID a, CK_TOKEN_INFO_PTR b), (a, b), 0)                                                      \
  F(OpenSession, (CK_SLOT_ID a, CK_FLAGS b, CK_VOID_PTR c, CK_NOTIFY d, CK_SESSION_HANDLE_PTR e), (a, b, c, d, e), 0)  \
  F(CloseSession, (CK_SESSION_HANDLE a), (a), 0)                                                                       \
  F(GetSessionInfo, (CK_SESSION_HANDLE a, CK_SESSION_INFO_PTR b), (a, b), 0)                                           \
  F(Login, (CK_SESSION_HANDLE a, CK_USER_TYPE b, CK_UTF8CHAR_PTR c, CK_ULONG d), (a, b, c, d), 0)                      \
  F(FindObjectsInit, (CK_SESSION_HANDLE a, CK_ATTRIBUTE_PTR b, CK_ULONG c), (a, b, c), 0)                              \
  F(GetAttributeValue, (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b, CK_ATTRIBUTE_PTR c, CK_ULONG d), (a, b, c, d), 0)     \
  F(EncryptInit, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_OBJECT_HANDLE c), (a, b, c), 0)                          \
  F(Encrypt, (CK_SESSION_HANDLE a, CK_BYTE_PTR b, CK_ULONG c, CK_BYTE_PTR d, CK_ULONG_PTR e), (a, b, c, d, e), 1)      \
  F(DecryptInit, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_OBJECT_HANDLE c), (a, b, c), 0)                          \
  F(Decrypt, (CK_SESSION_HANDLE a, CK_BYTE_PTR b, CK_ULONG c, CK_BYTE_PTR d, CK_ULONG_PTR e), (a, b, c, d, e), 1)      \
  F(SignInit, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_OBJECT_HANDLE c), (a, b, c), 0)                             \
  F(Sign, (CK_SESSION_HANDLE a, CK_BYTE_PTR b, CK_ULONG c, CK_BYTE_PTR d, CK_ULONG_PTR e), (a, b, c, d, e), 1)         \
  F(GenerateKey, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_ATTRIBUTE_PTR c, CK_ULONG d, CK_OBJECT_HANDLE_PTR e),    \
    (a, b, c, d, e), 0)

#define NUMBER(name, parameters, arguments, ends) k##name,
enum { FUNCTIONS(NUMBER) kFunctions };

struct Row {
  atomic_ullong calls, hanging;
  atomic_llong left;
  atomic_ullong answer, delay, hang;
};

static struct Row none[kFunctions];
static struct Row* rows = none;
static CK_FUNCTION_LIST_PTR real;
static CK_FUNCTION_LIST list;

static void Sleep(unsigned long long microseconds) {
  struct timespec time = {(time_t)(microseconds / 1000000), (long)(microseconds % 1000000) * 1000};
  nanosleep(&time, NULL);
}

static int Obeys(struct Row* row) {
  long long left = atomic_load(&row->left);
  while (left > 0) {
    if (atomic_compare_exchange_weak(&row->left, &left, left - 1)) return 1;
  }
  return left < 0;
}

// The answer to give instead of the real module's; CKR_OK: its own.
static CK_RV Order(int function) {
  struct Row* const row = &rows[function];
  atomic_fetch_add(&row->calls, 1);
  if (!Obeys(row)) return CKR_OK;
  const CK_RV answer = (CK_RV)atomic_load(&row->answer);
  const unsigned long long delay = atomic_load(&row->delay);
  if (delay != 0) Sleep(delay);
  atomic_fetch_add(&row->hanging, 1);
  while (atomic_load(&row->hang) != 0) Sleep(1000);
  atomic_fetch_sub(&row->hanging, 1);
  return answer;
}

#define FORWARD(name, parameters, arguments, ends)         \
  static CK_RV Faulty##name parameters {                   \
    const CK_RV ordered = Order(k##name);                  \
    if (ordered != CKR_OK && !(ends)) return ordered;      \
    const CK_RV answered = real->C_##name arguments;       \
    return ordered != CKR_OK ? ordered : answered;         \
  }
FUNCTIONS(FORWARD)

static int Refuses(CK_MECHANISM_PTR mechanism) {
  const char* const refused = getenv("DARE_TEST_REFUSED");
  char number[32];
  if (refused == NULL || mechanism == NULL) return 0;
  snprintf(number, sizeof number, ",%lx,", mechanism->mechanism);
  return strstr(refused, number) != NULL;
}

static CK_RV FaultyGenerateKeyPair(CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_ATTRIBUTE_PTR c, CK_ULONG d,
                                   CK_ATTRIBUTE_PTR e, CK_ULONG f, CK_OBJECT_HANDLE_PTR g, CK_OBJECT_HANDLE_PTR h) {
  return real->C_GenerateKeyPair(a, b, c, d, e, f, g, h);
}

#define REFUSING(F)                                                                                                    \
  F(EncryptInit, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_OBJECT_HANDLE c), (a, b, c))                             \
  F(DecryptInit, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_OBJECT_HANDLE c), (a, b, c))                             \
  F(SignInit, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_OBJECT_HANDLE c), (a, b, c))                                \
  F(GenerateKey, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_ATTRIBUTE_PTR c, CK_ULONG d, CK_OBJECT_HANDLE_PTR e),    \
    (a, b, c, d, e))                                                                                                   \
  F(GenerateKeyPair, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_ATTRIBUTE_PTR c, CK_ULONG d, CK_ATTRIBUTE_PTR e,     \
                      CK_ULONG f, CK_OBJECT_HANDLE_PTR g, CK_OBJECT_HANDLE_PTR h), (a, b, c, d, e, f, g, h))
#define REFUSE(name, parameters, arguments)                                     \
  static CK_RV Refusing##name parameters {                                      \
    return Refuses(b) ? CKR_MECHANISM_INVALID : Faulty##name arguments;         \
  }
REFUSING(REFUSE)

// Several copies stand before one real module: none of them may end it under the others, so each is told that somebody
// else began it.
static CK_RV Initialize(CK_VOID_PTR arguments) {
  const CK_RV answer = real->C_Initialize(arguments);
  return answer == CKR_OK ? CKR_CRYPTOKI_ALREADY_INITIALIZED : answer;
}

static void MapOrders(void) {
  Dl_info self;
  char path[4096];
  if (dladdr((void*)MapOrders, &self) == 0) return;
  if (snprintf(path, sizeof path, "%s.control", self.dli_fname) >= (int)sizeof path) return;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* const mapped = mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) rows = mapped;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out) {
  if (real == NULL) {
    const char* path = getenv("DARE_TEST_REAL_MODULE");
    void* const module = dlopen(path != NULL ? path : "/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) return CKR_GENERAL_ERROR;
    const CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
    if (get == NULL || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
    MapOrders();
    list = *real;
    list.C_GetFunctionList = C_GetFunctionList;
    list.C_Initialize = Initialize;
#define REPLACE(name, parameters, arguments, ends) list.C_##name = Faulty##name;
    FUNCTIONS(REPLACE)
#define REPLACE_REFUSING(name, parameters, arguments) list.C_##name = Refusing##name;
    REFUSING(REPLACE_REFUSING)
  }
  *out = &list;
  return CKR_OK;
}
