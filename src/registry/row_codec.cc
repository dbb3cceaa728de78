#include "registry/row_codec.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

namespace dare::registry {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kGroupDigits = 16;

Error Unreadable() { return Error(Code::kDamaged, "a row of the registry cannot be read"); }

// A string is 4 bytes of length and its bytes, a number 8 bytes, a list its length and its strings.
class Writer {
 public:
  Writer() { out_.push_back(kVersion); }
  Writer& Number(std::int64_t number) {
    std::uint8_t encoded[8];
    PutU64(encoded, static_cast<std::uint64_t>(number));
    Append(out_, encoded);
    return *this;
  }
  Writer& String(ByteView bytes) {
    std::uint8_t length[4];
    PutU32(length, static_cast<std::uint32_t>(bytes.size()));
    Append(out_, length);
    Append(out_, bytes);
    return *this;
  }
  Writer& String(std::string_view text) { return String(AsBytes(text)); }
  Writer& List(const std::vector<std::string>& texts) {
    Number(static_cast<std::int64_t>(texts.size()));
    for (const std::string& text : texts) String(text);
    return *this;
  }
  Bytes Take() { return std::move(out_); }

 private:
  Bytes out_;
};

// After something that is not there everything is empty, and End says so.
class Reader {
 public:
  explicit Reader(ByteView bytes) : left_(bytes) { good_ = Take(1)[0] == kVersion && good_; }
  std::int64_t Number() { return static_cast<std::int64_t>(GetU64(Take(8).data())); }
  ByteView String() {
    const std::size_t length = GetU32(Take(4).data());
    if (length > left_.size()) {
      good_ = false;
      return {};
    }
    const ByteView string = left_.first(length);
    left_ = left_.subspan(length);
    return string;
  }
  std::string Text() { return std::string(AsText(String())); }
  std::vector<std::string> List() {
    std::vector<std::string> texts;
    const std::int64_t count = Number();
    for (std::int64_t i = 0; i < count && good_; ++i) texts.push_back(Text());
    return texts;
  }
  bool good() const { return good_; }
  Result<void> End() const {
    if (good_ && left_.empty()) return {};
    return Unreadable();
  }

 private:
  ByteView Take(std::size_t count) {
    static constexpr std::uint8_t kNothing[8] = {};
    if (count > left_.size()) {
      good_ = false;
      left_ = {};
      return ByteView(kNothing).first(count);
    }
    const ByteView taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }

  ByteView left_;
  bool good_ = true;
};

}  // namespace

std::string TokenName(ByteView hash) { return std::string(kTokenPrefix) + ToHex(hash); }

std::string CertificatesOf(const std::string& common_name) {
  return std::string(kCertificatePrefix) + common_name + "\n";
}

std::string CertificateName(const std::string& common_name, const std::string& serial) {
  return CertificatesOf(common_name) + serial;
}

Bytes EncodeToken(const server::TokenGrant& grant) {
  return Writer()
      .String(grant.subject.common_name)
      .List(grant.subject.units)
      .Number(grant.expires)
      .Number(grant.uses)
      .Take();
}

Result<server::TokenGrant> DecodeToken(ByteView content) {
  Reader in(content);
  server::TokenGrant grant;
  grant.subject.common_name = in.Text();
  grant.subject.units = in.List();
  grant.expires = in.Number();
  grant.uses = in.Number();
  TRY(in.End());
  return grant;
}

Bytes EncodeCertificate(const server::CertificateRecord& record) {
  return Writer()
      .List(record.subject.units)
      .String(record.fingerprint)
      .Number(record.issued)
      .Number(record.not_after)
      .Take();
}

Result<server::CertificateRecord> DecodeCertificate(std::string_view name, ByteView content) {
  const std::size_t end = name.find('\n');
  if (!name.starts_with(kCertificatePrefix) || end == std::string_view::npos) return Unreadable();
  Reader in(content);
  server::CertificateRecord record;
  record.subject.common_name =
      name.substr(kCertificatePrefix.size(), end - kCertificatePrefix.size());
  record.serial = name.substr(end + 1);
  record.subject.units = in.List();
  record.fingerprint = in.Text();
  record.issued = in.Number();
  record.not_after = in.Number();
  TRY(in.End());
  return record;
}

Bytes EncodeCredential(const server::StoredCredential& credential) {
  return Writer()
      .String(credential.principal)
      .List(credential.groups)
      .String(credential.verifier)
      .Number(credential.added)
      .Take();
}

Result<server::StoredCredential> DecodeCredential(std::string_view name, ByteView content) {
  if (!name.starts_with(kLoginPrefix)) return Unreadable();
  Reader in(content);
  server::StoredCredential credential;
  credential.login = name.substr(kLoginPrefix.size());
  credential.principal = in.Text();
  credential.groups = in.List();
  credential.verifier = ToBytes(in.String());
  credential.added = in.Number();
  TRY(in.End());
  return credential;
}

std::string EventName(std::uint64_t group, std::size_t number) {
  char name[40];
  (void)std::snprintf(name, sizeof name, "%016llx-%06zx", static_cast<unsigned long long>(group),
                      number);
  return name;
}

Result<std::uint64_t> GroupOfEvent(std::string_view name) {
  std::uint64_t group = 0;
  const char* end = name.data() + std::min(name.size(), kGroupDigits);
  const auto read = std::from_chars(name.data(), end, group, 16);
  if (name.size() <= kGroupDigits || read.ptr != end || read.ec != std::errc()) return Unreadable();
  return group;
}

Bytes EncodeEvent(const RevocationEvent& event) {
  return Writer()
      .Number(static_cast<std::int64_t>(event.kind))
      .String(event.what)
      .Number(event.when)
      .Take();
}

Result<RevocationEvent> DecodeEvent(ByteView content) {
  Reader in(content);
  const std::int64_t kind = in.Number();
  RevocationEvent event;
  event.what = in.Text();
  event.when = in.Number();
  TRY(in.End());
  if (kind < 1 || kind > 3) return Unreadable();
  event.kind = static_cast<RevocationEvent::Kind>(kind);
  return event;
}

namespace {
constexpr std::string_view kPrincipalPrefix = "principal/";
constexpr std::string_view kGroupPrefix = "group/";
constexpr std::string_view kDomainPrefix = "domain/";
constexpr std::string_view kSealRow = "seal";
}  // namespace

std::string LockoutName(Lockout::Kind kind, std::string_view name) {
  switch (kind) {
    case Lockout::Kind::kPrincipal:
      return std::string(kPrincipalPrefix).append(name);
    case Lockout::Kind::kGroup:
      return std::string(kGroupPrefix).append(name);
    case Lockout::Kind::kDomain:
      return std::string(kDomainPrefix).append(name);
    case Lockout::Kind::kSeal:
      break;
  }
  return std::string(kSealRow);
}

Bytes EncodeLockout(const Lockout& lockout) {
  return Writer().Number(lockout.when).String(lockout.by).String(lockout.reason).Take();
}

Result<Lockout> DecodeLockout(std::string_view row, ByteView content) {
  Lockout lockout;
  if (row.starts_with(kPrincipalPrefix)) {
    lockout.name = row.substr(kPrincipalPrefix.size());
  } else if (row.starts_with(kGroupPrefix)) {
    lockout.kind = Lockout::Kind::kGroup;
    lockout.name = row.substr(kGroupPrefix.size());
  } else if (row.starts_with(kDomainPrefix)) {
    lockout.kind = Lockout::Kind::kDomain;
    lockout.name = row.substr(kDomainPrefix.size());
  } else if (row == kSealRow) {
    lockout.kind = Lockout::Kind::kSeal;
  } else {
    return Unreadable();
  }
  Reader in(content);
  lockout.when = in.Number();
  lockout.by = in.Text();
  lockout.reason = in.Text();
  TRY(in.End());
  return lockout;
}

std::string PolicyVersionName(std::uint64_t number) {
  char digits[kGroupDigits + 1];
  std::snprintf(digits, sizeof digits, "%0*llx", static_cast<int>(kGroupDigits),
                static_cast<unsigned long long>(number));
  return std::string(kPolicyVersionPrefix) + digits;
}

Bytes EncodePolicyVersion(const PolicyVersion& version) {
  return Writer()
      .Number(static_cast<std::int64_t>(version.number))
      .Number(version.when)
      .String(version.who)
      .String(version.comment)
      .String(version.text)
      .Take();
}

Result<PolicyVersion> DecodePolicyVersion(std::string_view name, ByteView content) {
  Reader reader(content);
  PolicyVersion version;
  version.number = static_cast<std::uint64_t>(reader.Number());
  version.when = reader.Number();
  version.who = reader.Text();
  version.comment = reader.Text();
  version.text = reader.Text();
  TRY(reader.End());
  if (name != PolicyVersionName(version.number)) return Unreadable();
  return version;
}

Bytes EncodePolicyNumber(std::uint64_t number) {
  return Writer().Number(static_cast<std::int64_t>(number)).Take();
}

Result<std::uint64_t> DecodePolicyNumber(ByteView content) {
  Reader reader(content);
  const auto number = static_cast<std::uint64_t>(reader.Number());
  TRY(reader.End());
  return number;
}

namespace {

void WritePrincipal(Writer& out, const policy::Principal& who) {
  out.String(who.name).Number(who.administrator ? 1 : 0).List(who.groups);
}

policy::Principal ReadPrincipal(Reader& in) {
  policy::Principal who;
  who.name = in.Text();
  who.administrator = in.Number() == 1;
  who.groups = in.List();
  return who;
}

}  // namespace

std::string RequestName(ByteView binding) { return std::string(kRequestPrefix) + ToHex(binding); }

Bytes EncodeRequest(const engine::ApprovalRequest& request) {
  Writer out;
  out.String(request.id).String(request.rule).String(policy::ActName(request.act));
  out.String(request.subject).String(request.how).String(request.text).String(request.note);
  out.Number(request.asked).String(request.petition.requester).Number(request.petition.expires);
  out.Number(static_cast<std::int64_t>(request.petition.voices.size()));
  for (const policy::Voice& voice : request.petition.voices) {
    WritePrincipal(out, voice.who);
    out.Number(voice.approves ? 1 : 0);
  }
  out.Number(request.petition.bypassed_by ? 1 : 0);
  if (request.petition.bypassed_by) WritePrincipal(out, *request.petition.bypassed_by);
  out.String(request.bypass_reason);
  return out.Take();
}

Result<engine::ApprovalRequest> DecodeRequest(std::string_view name, ByteView content) {
  if (!name.starts_with(kRequestPrefix)) return Unreadable();
  engine::ApprovalRequest request;
  const Result<Bytes> binding = FromHex(name.substr(kRequestPrefix.size()));
  if (!binding) return Unreadable();
  request.binding = *binding;
  Reader in(content);
  request.id = in.Text();
  request.rule = in.Text();
  const Result<policy::Act> act = policy::ParseAct(in.Text());
  request.subject = in.Text();
  request.how = in.Text();
  request.text = in.Text();
  request.note = in.Text();
  request.asked = in.Number();
  request.petition.requester = in.Text();
  request.petition.expires = in.Number();
  const std::int64_t voices = in.Number();
  for (std::int64_t i = 0; i < voices && in.good(); ++i) {
    policy::Principal who = ReadPrincipal(in);
    request.petition.voices.push_back({std::move(who), in.Number() == 1});
  }
  if (in.Number() == 1) request.petition.bypassed_by = ReadPrincipal(in);
  request.bypass_reason = in.Text();
  TRY(in.End());
  if (!act) return Unreadable();
  request.act = *act;
  return request;
}

std::string BypassName(std::string_view id) { return std::string(kBypassPrefix).append(id); }

Bytes EncodeBypass(const Bypass& bypass) {
  return Writer()
      .String(bypass.rule)
      .String(policy::ActName(bypass.act))
      .String(bypass.subject)
      .String(bypass.requester)
      .String(bypass.by)
      .String(bypass.reason)
      .Number(bypass.when)
      .Number(bypass.used)
      .Take();
}

Result<Bypass> DecodeBypass(std::string_view name, ByteView content) {
  if (!name.starts_with(kBypassPrefix)) return Unreadable();
  Reader in(content);
  Bypass bypass;
  bypass.id = name.substr(kBypassPrefix.size());
  bypass.rule = in.Text();
  const Result<policy::Act> act = policy::ParseAct(in.Text());
  bypass.subject = in.Text();
  bypass.requester = in.Text();
  bypass.by = in.Text();
  bypass.reason = in.Text();
  bypass.when = in.Number();
  bypass.used = in.Number();
  TRY(in.End());
  if (!act) return Unreadable();
  bypass.act = *act;
  return bypass;
}

}  // namespace dare::registry
