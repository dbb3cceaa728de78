#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/ca.h"
#include "server/revocation.h"

namespace dare::server {

// Role OUs: every certificate we issue carries exactly one; group names must not begin with
// "dare-".
inline constexpr std::string_view kAdministratorUnit = "dare-administrator";
inline constexpr std::string_view kClientUnit = "dare-client";

// A one-time password for enrolment. Whoever shows it gets a certificate for this subject.
struct TokenGrant {
  Subject subject;
  std::int64_t expires = 0;  // POSIX seconds
  std::int64_t uses = 1;
};

struct CertificateRecord {
  std::string serial;
  Subject subject;
  std::string fingerprint;
  std::int64_t issued = 0;
  std::int64_t not_after = 0;
  std::int64_t revoked = 0;  // POSIX seconds; 0 when it is not
};

// Everything that an EnrolmentStore keeps, to be carried to another one.
struct EnrolmentRecords {
  struct Token {
    Bytes hash;
    TokenGrant grant;
  };
  struct Revoked {
    std::string what;  // a serial or a name
    std::int64_t when = 0;
  };
  std::vector<Token> tokens;
  std::vector<CertificateRecord> certificates;
  std::vector<Revoked> serials, names;
};

// EnrolmentStore keeps who may enrol (tokens, as SHA-256 only), which certificates were issued and
// which are revoked. Several processes may use what is behind it at once: the command line writes a
// token or a revocation, and the server sees it at its next look. Thread-safe. Every change is
// durable when the call returns. Two back ends, judged by one suite
// (src/registry/enrolment_store_conformance_test.cc): a SQLite file of one server, and the database
// that several share.
class EnrolmentStore : public Revocation {
 public:
  // The new token's text, 64 hex digits; it cannot be had again.
  virtual Result<std::string> AddToken(const TokenGrant& grant) = 0;
  // What a token is good for, without using it up. kUnauthenticated with one text for unknown,
  // expired and used-up tokens.
  virtual Result<Subject> CheckToken(std::string_view token) = 0;

  using Issuer = std::function<Result<Certificate>(const Subject&)>;
  // Uses `token` up (once) and records the certificate that `issue` makes, both or neither. A
  // certificate that could not be recorded is not given out.
  virtual Result<Certificate> Redeem(std::string_view token, const Issuer& issue) = 0;
  // Issues anew for the subject of a certificate that we issued and that is not revoked or expired;
  // kUnauthenticated otherwise. The fingerprint tells it from one to which another authority gave
  // the same serial and name.
  virtual Result<Certificate> Renew(const std::string& serial, const std::string& name,
                                    const std::string& fingerprint, const Issuer& issue) = 0;
  // Records a certificate that was issued without a token.
  virtual Result<void> Record(const Certificate& certificate) = 0;

  // Also for serials that another authority gave. False when it was revoked already.
  virtual Result<bool> RevokeSerial(const std::string& serial) = 0;
  // Every certificate with this name that exists now, issued by us or not, and its unused tokens.
  // A certificate that we issue to the name later is good. Gives the number of ours.
  virtual Result<std::size_t> RevokeName(const std::string& name) = 0;
  // What we know of a certificate that we issued; kNotFound.
  virtual Result<CertificateRecord> Find(const std::string& serial,
                                         const std::string& name) const = 0;
  // By time of issue, the newest last.
  virtual Result<std::vector<CertificateRecord>> Certificates() = 0;

  virtual Result<EnrolmentRecords> Export() = 0;
  // Adds what another store kept to what is here. What either had revoked is revoked afterwards: a
  // certificate that both know of is good when it was on both sides, and one that only one of them
  // knows unless the other revoked its name after it was issued.
  virtual Result<void> Import(const EnrolmentRecords& records) = 0;
};

// What the back ends share.

Bytes HashToken(std::string_view token);
// 32 random bytes as text. kInvalidArgument for a grant that could never work.
Result<std::string> NewToken(const TokenGrant& grant, std::int64_t now);
// One text, whatever was wrong.
Error TokenRefused();
Error RenewalRefused();
// As certificates are compared by: "0xAB:CD" and leading zeroes are ways people write a serial.
// kInvalidArgument for what is none.
Result<std::string> NormalSerial(std::string_view serial);
// By time of issue.
void SortByIssue(std::vector<CertificateRecord>& records);

}  // namespace dare::server
