#include "engine/operations/pkcs11.h"

#include <algorithm>

#include "engine/pkcs11_applications.h"
#include "engine/server_facts.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;

// kmip-2.1 11.38: places in CK_FUNCTION_LIST_3_0, counted from 1.
constexpr std::uint32_t kInitialize = 1;
constexpr std::uint32_t kFinalize = 2;
constexpr std::uint32_t kGetInfo = 3;
constexpr std::uint32_t kLastFunction = 92;  // C_MessageVerifyFinal

// CK_RV
constexpr std::uint32_t kOk = 0x000;
constexpr std::uint32_t kArgumentsBad = 0x007;
constexpr std::uint32_t kFunctionNotSupported = 0x054;
constexpr std::uint32_t kNotInitialized = 0x190;
constexpr std::uint32_t kAlreadyInitialized = 0x191;

// The name of the interface in PKCS#11 3.0, section 5.4.5; without a name it is meant, too.
constexpr char kInterface[] = "PKCS 11";
constexpr std::uint8_t kEncodingVersion = 1;  // the one byte that C_Initialize sends

void PutPaddedText(Bytes& out, const std::string& text) {
  constexpr std::size_t kLength = 32;  // CK_UTF8CHAR[32], padded with blanks, without an end mark
  const std::size_t taken = std::min(text.size(), kLength);
  out.insert(out.end(), text.begin(), text.begin() + static_cast<std::ptrdiff_t>(taken));
  out.insert(out.end(), kLength - taken, ' ');
}

// CK_INFO as the PKCS#11 profile encodes it: bytes as they are, CK_FLAGS in 8 bytes, big-endian.
Bytes EncodeInfo(const ServerFacts& facts) {
  Bytes info = {2, 40};  // cryptokiVersion
  PutPaddedText(info, facts.pkcs11_manufacturer);
  info.insert(info.end(), 8, 0);  // flags: none are defined
  PutPaddedText(info, facts.pkcs11_description);
  info.insert(info.end(), {1, 0});  // libraryVersion
  return info;
}

class Call {
 public:
  Call(const kmip::Pkcs11Request& request, OperationContext& context)
      : request_(request), context_(context), principal_(context.principal().name) {
    response_.interface_name = request.interface_name;
    response_.function = request.function;
  }

  Result<kmip::Pkcs11Response> Run() {
    response_.return_code = TRY(Perform());
    return std::move(response_);
  }

 private:
  Result<std::uint32_t> Perform() {
    if (request_.function == kInitialize) return Initialize();
    if (!Known()) return kNotInitialized;
    switch (request_.function) {
      case kFinalize:
        if (HasInput()) return kArgumentsBad;
        return context_.applications().End(*request_.correlation, principal_) ? kOk
                                                                              : kNotInitialized;
      case kGetInfo:
        if (HasInput()) return kArgumentsBad;
        response_.output = EncodeInfo(context_.facts());
        return kOk;
      default:
        return kFunctionNotSupported;
    }
  }

  Result<std::uint32_t> Initialize() {
    if (Known()) return kAlreadyInitialized;
    if (!request_.input || request_.input->size() != 1) {
      return Reject(ResultReason::kPKCS_11CodecError, "C_Initialize sends one byte of version");
    }
    if (request_.input->front() != kEncodingVersion) {
      return Reject(ResultReason::kPKCS_11CodecError, "this version of the encoding is unknown");
    }
    response_.correlation = TRY(context_.applications().Begin(principal_));
    return kOk;
  }

  bool Known() {
    return request_.correlation && context_.applications().Has(*request_.correlation, principal_);
  }
  bool HasInput() const { return request_.input && !request_.input->empty(); }

  const kmip::Pkcs11Request& request_;
  OperationContext& context_;
  const std::string& principal_;
  kmip::Pkcs11Response response_;
};

}  // namespace

Result<kmip::Pkcs11Response> Pkcs11(const kmip::Pkcs11Request& request, OperationContext& context) {
  TRY(context.Authorise());
  if (request.interface_name && *request.interface_name != kInterface) {
    return Reject(ResultReason::kPKCS_11InvalidInterface, "there is no interface of this name");
  }
  if (request.vendor_function || request.function < 1 || request.function > kLastFunction) {
    return Reject(ResultReason::kPKCS_11InvalidFunction, "there is no such function");
  }
  return Call(request, context).Run();
}

}  // namespace dare::engine
