#include "kmip/credential.h"

#include <utility>

#include "kmip/names.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"

namespace dare::kmip {
namespace {

constexpr std::size_t kMostCredentials = 8;

Result<Credential> ReadPassword(ttlv::Reader& in) {
  PasswordCredential credential;
  credential.username = TRY(in.Text(Tag::kUsername));
  credential.password = TRY(in.OptionalText(Tag::kPassword));
  return Credential(credential);
}

Result<Credential> ReadDevice(ttlv::Reader& in) {
  DeviceCredential credential;
  credential.serial_number = TRY(in.OptionalText(Tag::kDeviceSerialNumber));
  credential.password = TRY(in.OptionalText(Tag::kPassword));
  credential.device = TRY(in.OptionalText(Tag::kDeviceIdentifier));
  credential.network = TRY(in.OptionalText(Tag::kNetworkIdentifier));
  credential.machine = TRY(in.OptionalText(Tag::kMachineIdentifier));
  credential.media = TRY(in.OptionalText(Tag::kMediaIdentifier));
  return Credential(credential);
}

Result<Credential> ReadAttestation(ttlv::Reader& in) {
  AttestationCredential credential;
  TRY(in.Structure(Tag::kNonce));
  credential.type = TRY(in.Enum<AttestationType>(Tag::kAttestationType));
  const auto measurement = TRY(in.OptionalByteString(Tag::kAttestationMeasurement));
  const auto assertion = TRY(in.OptionalByteString(Tag::kAttestationAssertion));
  //= kmip-2.1 9.11 Credential
  //# the client SHALL provide attestation data in either the Attestation Measurement or Attestation
  //# Assertion fields
  if (!measurement && !assertion) return Error(Code::kMalformed, "an attestation without evidence");
  return Credential(credential);
}

Result<Credential> ReadOneTimePassword(ttlv::Reader& in) {
  OneTimePasswordCredential credential;
  credential.username = TRY(in.Text(Tag::kUsername));
  credential.password = TRY(in.OptionalText(Tag::kPassword));
  credential.one_time_password = TRY(in.Text(Tag::kOneTimePassword));
  return Credential(credential);
}

Result<Credential> ReadHashedPassword(ttlv::Reader& in) {
  HashedPasswordCredential credential;
  credential.username = TRY(in.Text(Tag::kUsername));
  credential.time_stamp = TRY(in.DateTimeExtended(Tag::kTimeStamp));
  credential.hash =
      TRY(in.OptionalEnum<HashingAlgorithm>(Tag::kHashingAlgorithm)).value_or(credential.hash);
  credential.hashed_password = TRY(in.ByteString(Tag::kHashedPassword));
  return Credential(credential);
}

Result<Credential> ReadValue(CredentialType type, ttlv::Reader& in) {
  switch (type) {
    case CredentialType::kUsernameAndPassword:
      return ReadPassword(in);
    case CredentialType::kDevice:
      return ReadDevice(in);
    case CredentialType::kAttestation:
      return ReadAttestation(in);
    case CredentialType::kOneTimePassword:
      return ReadOneTimePassword(in);
    case CredentialType::kHashedPassword:
      return ReadHashedPassword(in);
    case CredentialType::kTicket:
      return Credential(TicketCredential{TRY(ReadTicket(in))});
    default:
      return Reject(ResultReason::kInvalidField, "unknown Credential Type");
  }
}

Result<Credential> ReadCredential(ttlv::Reader& in, ProtocolVersion version) {
  ttlv::Reader members = TRY(in.Structure(Tag::kCredential));
  const auto type = TRY(members.Enum<CredentialType>(Tag::kCredentialType));
  if (!EnumExists(Tag::kCredentialType, static_cast<std::uint32_t>(type), version)) {
    return Reject(ResultReason::kInvalidField, "this version has no such Credential Type");
  }
  ttlv::Reader value = TRY(members.Structure(Tag::kCredentialValue));
  TRY(members.End());
  Credential credential = TRY(ReadValue(type, value));
  TRY(value.End());
  return credential;
}

void WriteOptional(ttlv::Writer& out, Tag tag, const std::optional<std::string_view>& text) {
  if (text) out.Text(tag, *text);
}

// Each writes the members of its Credential Value and says its type.
struct ValueWriter {
  ttlv::Writer& out;

  void operator()(const PasswordCredential& c) const {
    out.Text(Tag::kUsername, c.username);
    WriteOptional(out, Tag::kPassword, c.password);
  }
  void operator()(const DeviceCredential& c) const {
    WriteOptional(out, Tag::kDeviceSerialNumber, c.serial_number);
    WriteOptional(out, Tag::kPassword, c.password);
    WriteOptional(out, Tag::kDeviceIdentifier, c.device);
    WriteOptional(out, Tag::kNetworkIdentifier, c.network);
    WriteOptional(out, Tag::kMachineIdentifier, c.machine);
    WriteOptional(out, Tag::kMediaIdentifier, c.media);
  }
  void operator()(const AttestationCredential& c) const {
    out.Structure(Tag::kNonce, [&] {
      out.ByteString(Tag::kNonceID, {});
      out.ByteString(Tag::kNonceValue, {});
    });
    out.Enum(Tag::kAttestationType, c.type);
    out.ByteString(Tag::kAttestationMeasurement, {});
  }
  void operator()(const OneTimePasswordCredential& c) const {
    out.Text(Tag::kUsername, c.username);
    WriteOptional(out, Tag::kPassword, c.password);
    out.Text(Tag::kOneTimePassword, c.one_time_password);
  }
  void operator()(const HashedPasswordCredential& c) const {
    out.Text(Tag::kUsername, c.username);
    out.DateTimeExtended(Tag::kTimeStamp, c.time_stamp);
    out.Enum(Tag::kHashingAlgorithm, c.hash);
    out.ByteString(Tag::kHashedPassword, c.hashed_password);
  }
  void operator()(const TicketCredential& c) const { WriteTicket(out, c.ticket); }
};

constexpr CredentialType kTypes[] = {
    CredentialType::kUsernameAndPassword, CredentialType::kDevice,
    CredentialType::kAttestation,         CredentialType::kOneTimePassword,
    CredentialType::kHashedPassword,      CredentialType::kTicket};

}  // namespace

std::string DeviceCredential::Name() const {
  const std::pair<const char*, const std::optional<std::string_view>*> fields[] = {
      {"serial", &serial_number},
      {"device", &device},
      {"network", &network},
      {"machine", &machine},
      {"media", &media}};
  std::string name;
  for (const auto& [label, value] : fields) {
    if (!*value) continue;
    name += name.empty() ? "device:" : ",";
    name += label;
    name += '=' + std::to_string((*value)->size()) + ':';  // so that no value can forge another
    name += **value;
  }
  return name;
}

Result<std::vector<Credential>> ReadAuthentication(const ttlv::Item& authentication,
                                                   ProtocolVersion version) {
  ttlv::Reader members = TRY(authentication.Members());
  std::vector<Credential> credentials;
  while (!members.AtEnd()) {
    credentials.push_back(TRY(ReadCredential(members, version)));
    const std::size_t most = version < kVersion1_2 ? 1 : kMostCredentials;
    if (credentials.size() > most) return Error(Code::kMalformed, "too many Credentials");
  }
  if (credentials.empty()) return Error(Code::kMalformed, "Authentication without Credential");
  return credentials;
}

void WriteAuthentication(ttlv::Writer& out, const Credential& credential) {
  out.Structure(Tag::kAuthentication, [&] {
    out.Structure(Tag::kCredential, [&] {
      out.Enum(Tag::kCredentialType, kTypes[credential.index()]);
      out.Structure(Tag::kCredentialValue, [&] { std::visit(ValueWriter{out}, credential); });
    });
  });
}

}  // namespace dare::kmip
