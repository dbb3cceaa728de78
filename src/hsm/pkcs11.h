#pragma once

// Internal to src/hsm: the one place that names the PKCS#11 header.
#include <p11-kit/pkcs11.h>

#include <string_view>

#include "base/result.h"

namespace dare::hsm {

// "CKR_PIN_INCORRECT", or "CKR_0x80000001" for a vendor's own.
std::string CkrName(CK_RV rv);

// The Error of a failed PKCS#11 call: `what` says what we wanted, detail is the CK_RV.
Error Pkcs11Error(std::string_view what, CK_RV rv);

// True when the token went away, the session died or a handle lost its meaning: worth one more try
// with a new session.
bool MeansLost(CK_RV rv);

}  // namespace dare::hsm
