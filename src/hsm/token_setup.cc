#include "hsm/token_setup.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "hsm/pkcs11.h"

namespace dare::hsm {
namespace {

constexpr std::size_t kLabelBytes = 32;  // CK_TOKEN_INFO.label

unsigned char* Pointer(const SecretBytes& pin) {
  return const_cast<unsigned char*>(pin.Reveal().data());
}

Result<void> CheckRequest(const std::string& label, const TokenPins& pins) {
  if (label.empty() || label.size() > kLabelBytes) {
    return Error(Code::kInvalidArgument, "a token label has 1 to 32 bytes");
  }
  for (const SecretBytes* pin : {&pins.security_officer, &pins.user}) {
    if (pin->size() < 4 || pin->size() > 255) {
      return Error(Code::kInvalidArgument, "a PIN has 4 to 255 bytes");
    }
  }
  return {};
}

// The token with this label, initialised but still without a user PIN; nothing when there is none
// with this label.
Result<std::optional<TokenInfo>> FindUnfinished(const std::vector<TokenInfo>& tokens,
                                                const std::string& label) {
  std::optional<TokenInfo> unfinished;
  for (const TokenInfo& token : tokens) {
    if (!token.initialised || token.label != label) continue;
    if (token.user_pin_set) {
      return Error(Code::kAlreadyExists,
                   "a token labelled '" + label + "' exists and is in use; it is left as it is");
    }
    unfinished = token;
  }
  return unfinished;
}

Result<void> GiveLabel(const Module& module, const std::vector<TokenInfo>& tokens,
                       const std::string& label, const SecretBytes& pin) {
  const auto free = std::find_if(tokens.begin(), tokens.end(),
                                 [](const TokenInfo& token) { return !token.initialised; });
  if (free == tokens.end()) return Error(Code::kNotFound, "no slot has an empty token");
  std::array<unsigned char, kLabelBytes> padded;
  padded.fill(' ');
  std::copy(label.begin(), label.end(), padded.begin());
  const CK_RV rv =
      module.functions().C_InitToken(free->slot, Pointer(pin), pin.size(), padded.data());
  if (rv != CKR_OK) return Pkcs11Error("cannot initialise the token", rv);
  return {};
}

CK_RV SetUserPinIn(const Module& module, CK_SESSION_HANDLE session, const TokenPins& pins) {
  const CK_FUNCTION_LIST& p11 = module.functions();
  const CK_RV rv =
      p11.C_Login(session, CKU_SO, Pointer(pins.security_officer), pins.security_officer.size());
  if (rv != CKR_OK) return rv;
  const CK_RV set = p11.C_InitPIN(session, Pointer(pins.user), pins.user.size());
  p11.C_Logout(session);
  return set;
}

Result<void> SetUserPin(const Module& module, SlotId slot, const TokenPins& pins) {
  const CK_FUNCTION_LIST& p11 = module.functions();
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  CK_RV rv =
      p11.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session);
  if (rv == CKR_OK) {
    rv = SetUserPinIn(module, session, pins);
    p11.C_CloseSession(session);
  }
  if (rv == CKR_OK) return {};
  return Pkcs11Error("the token is initialised, but its user PIN cannot be set", rv);
}

}  // namespace

Result<TokenInfo> InitialiseToken(const Module& module, const std::string& label,
                                  const TokenPins& pins) {
  TRY(CheckRequest(label, pins));
  const std::vector<TokenInfo> tokens = TRY(module.Tokens());
  std::optional<TokenInfo> token = TRY(FindUnfinished(tokens, label));
  if (!token) {
    TRY(GiveLabel(module, tokens, label, pins.security_officer));
    token = TRY(module.FindToken(label));  // a module may move it to another slot
  }
  TRY(SetUserPin(module, token->slot, pins));
  return module.FindToken(label, token->serial);
}

}  // namespace dare::hsm
