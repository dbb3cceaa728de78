#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/approval_desk.h"
#include "server/credential_store.h"
#include "server/enrolment_store.h"

// The contents of the registry's rows (docs/formats/record.md "Tables of guarded facts"), and their
// names in the tables. Reading refuses (kDamaged) whatever is not exactly what is written.
namespace dare::registry {

inline constexpr std::string_view kEnrolmentTable = "enrolment";
inline constexpr std::string_view kRevocationTable = "revocations";
inline constexpr std::string_view kCredentialTable = "credentials";
inline constexpr std::string_view kLockoutTable = "lockouts";

// In the table of enrolment.
inline constexpr std::string_view kTokenPrefix = "token/";
inline constexpr std::string_view kCertificatePrefix = "certificate/";
std::string TokenName(ByteView hash);
// Names have no control characters, so a line feed ends one.
std::string CertificatesOf(const std::string& common_name);
std::string CertificateName(const std::string& common_name, const std::string& serial);

Bytes EncodeToken(const server::TokenGrant& grant);
Result<server::TokenGrant> DecodeToken(ByteView content);
// Without `serial` and the common name, which are in the row's name, and `revoked`.
Bytes EncodeCertificate(const server::CertificateRecord& record);
Result<server::CertificateRecord> DecodeCertificate(std::string_view name, ByteView content);

// In the table of credentials, with the login behind it.
inline constexpr std::string_view kLoginPrefix = "login/";
Bytes EncodeCredential(const server::StoredCredential& credential);
Result<server::StoredCredential> DecodeCredential(std::string_view name, ByteView content);

// One entry of the log of revocations. Its name begins with its group, so that entries stand in the
// order in which they came.
struct RevocationEvent {
  enum class Kind : std::uint8_t {
    kSerial = 1,  // `what`: a certificate's serial
    kName = 2,    // every certificate with this name, until then
    kGood = 3,    // the certificate with this serial is good although its name was revoked before
  };
  Kind kind = Kind::kSerial;
  std::string what;
  std::int64_t when = 0;
};
std::string EventName(std::uint64_t group, std::size_t number);
Result<std::uint64_t> GroupOfEvent(std::string_view name);
Bytes EncodeEvent(const RevocationEvent& event);
Result<RevocationEvent> DecodeEvent(ByteView content);

// One lockout, or the seal on the whole cluster. Kind and name are in the row's name.
struct Lockout {
  enum class Kind : std::uint8_t {
    kPrincipal,  // `name`: who is not served
    kGroup,      // nobody of the group `name` is
    kSeal,       // nobody is; without a name
    kDomain,     // nobody of the policy's domain `name` is
  };
  Kind kind = Kind::kPrincipal;
  std::string name;
  std::int64_t when = 0;
  std::string by;  // the administrator
  std::string reason;
};
std::string LockoutName(Lockout::Kind kind, std::string_view name);
Bytes EncodeLockout(const Lockout& lockout);
Result<Lockout> DecodeLockout(std::string_view row, ByteView content);

// In the table of the policy: which version is in force, and every version that is kept, by number.
inline constexpr std::string_view kPolicyTable = "policy";
inline constexpr std::string_view kPolicyInForce = "in-force";
inline constexpr std::string_view kPolicyVersionPrefix = "version/";
struct PolicyVersion {
  std::uint64_t number = 0;
  std::int64_t when = 0;  // POSIX seconds
  std::string who, comment, text;
};
std::string PolicyVersionName(std::uint64_t number);
Bytes EncodePolicyVersion(const PolicyVersion& version);
// `number` is in the row's name.
Result<PolicyVersion> DecodePolicyVersion(std::string_view name, ByteView content);
Bytes EncodePolicyNumber(std::uint64_t number);
Result<std::uint64_t> DecodePolicyNumber(ByteView content);

// In the table of approvals: what waits, by what an approval of it is good for, and who did without
// one, until somebody else has acknowledged it.
inline constexpr std::string_view kApprovalTable = "approvals";
inline constexpr std::string_view kRequestPrefix = "request/";
inline constexpr std::string_view kBypassPrefix = "emergency/";
std::string RequestName(ByteView binding);
Bytes EncodeRequest(const engine::ApprovalRequest& request);
// `binding` is in the row's name.
Result<engine::ApprovalRequest> DecodeRequest(std::string_view name, ByteView content);
struct Bypass {
  std::string id;  // of the request
  std::string rule;
  policy::Act act = policy::Act::kDestroy;
  std::string subject, requester;
  std::string by, reason;
  std::int64_t when = 0;
  std::int64_t used = 0;  // when it was done; 0: it was not
};
std::string BypassName(std::string_view id);
Bytes EncodeBypass(const Bypass& bypass);
// `id` is in the row's name.
Result<Bypass> DecodeBypass(std::string_view name, ByteView content);

}  // namespace dare::registry
