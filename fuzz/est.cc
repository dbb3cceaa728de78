// Enrolment (server/est.h): any bytes as an HTTP request of a stranger and of a client with a
// certificate, and as a signing request (PKCS #10). Whoever shows neither the token nor a
// certificate gets none.
#include "server/est.h"

#include "base/check.h"
#include "server/pki_for_test.h"

namespace dare::server {
namespace {

constexpr char kToken[] = "token";

// One token that is never used up; keeps nothing.
class OneToken : public EnrolmentStore {
 public:
  Result<Subject> CheckToken(std::string_view token) override {
    if (token != kToken) return TokenRefused();
    return Subject{"alice", {std::string(kClientUnit)}};
  }
  Result<Certificate> Redeem(std::string_view token, const Issuer& issue) override {
    const Subject subject = TRY(CheckToken(token));
    return issue(subject);
  }
  Result<Certificate> Renew(const std::string&, const std::string& name, const std::string&,
                            const Issuer& issue) override {
    return issue({name, {std::string(kClientUnit)}});
  }
  Result<std::string> AddToken(const TokenGrant&) override { return None(); }
  Result<void> Record(const Certificate&) override { return None(); }
  Result<bool> RevokeSerial(const std::string&) override { return None(); }
  Result<std::size_t> RevokeName(const std::string&) override { return None(); }
  Result<CertificateRecord> Find(const std::string&, const std::string&) const override {
    return None();
  }
  Result<std::vector<CertificateRecord>> Certificates() override { return None(); }
  Result<EnrolmentRecords> Export() override { return None(); }
  Result<void> Import(const EnrolmentRecords&) override { return None(); }
  bool IsRevoked(const std::string&, const std::string&) const override { return false; }
  bool IsKnown() const override { return true; }
  std::uint64_t generation() const override { return 0; }

 private:
  static Error None() { return Error(Code::kUnsupported, "not here"); }
};

struct Enrolment {
  PkiForTest pki;
  OneToken records;
  bool granted = false;
  EstService service{&pki.authority(), &records, Options()};
  HttpHandler handler{service};

  EstOptions Options() {
    EstOptions options;
    options.observer = [this](const EnrolmentEvent& event) -> Result<void> {
      granted = event.granted;
      // The subject is the token's or the old certificate's, whatever the request says.
      CHECK(!granted || event.subject.common_name == "alice");
      return {};
    };
    return options;
  }
};

void Ask(Enrolment& enrolment, ByteView bytes, bool with_certificate) {
  Peer peer;
  if (with_certificate) {
    peer.common_name = "alice";
    peer.fingerprint = "known";
  }
  const HttpFraming framing;
  if (bytes.empty()) return;
  const Result<std::size_t> size = framing.MessageSize(bytes, peer);
  if (!size || *size == 0 || *size > bytes.size()) return;
  const std::shared_ptr<Mailbox> none;
  WipingBytes answer;
  enrolment.granted = false;
  const Caller caller{.peer = std::make_shared<Peer>(peer), .principal = nullptr};
  const Handled handled =
      enrolment.handler.Handle(bytes.first(*size), caller, ReplyTo(none, 0), answer);
  CHECK(handled == Handled::kAnswered || handled == Handled::kAnsweredAndClose);
  const bool ok = AsText(answer).starts_with("HTTP/1.1 200 ");
  CHECK(!enrolment.granted || ok);
}

}  // namespace
}  // namespace dare::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static dare::server::Enrolment enrolment;
  const dare::ByteView bytes(data, size);
  dare::server::Ask(enrolment, bytes, false);
  dare::server::Ask(enrolment, bytes, true);
  (void)dare::server::SigningRequest::Parse(bytes);
  return 0;
}
