// Every operation on, and every attribute of, every type of object, against the annexes of
// KMIP 1.x.
#include "engine/applicability.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "crypto/certificate_request.h"
#include "crypto/certificates_for_test.h"
#include "engine/issuer_for_test.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/attribute_table.h"
#include "kmip/certificate.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/add_attribute.h"
#include "kmip/payloads/certify.h"
#include "kmip/payloads/check.h"
#include "kmip/payloads/get_usage_allocation.h"
#include "kmip/payloads/obtain_lease.h"
#include "kmip/payloads/re_certify.h"
#include "kmip/payloads/re_key.h"
#include "kmip/payloads/re_key_key_pair.h"
#include "kmip/payloads/revoke.h"
#include "kmip/payloads/validate.h"

namespace dare::engine {
namespace {

namespace pki = crypto::certificates_for_test;
using kmip::Attribute;
using kmip::Identifier;
using kmip::ObjectType;
using kmip::ResultReason;
using kmip::Tag;

const std::map<std::string, ObjectType> kTypes = {
    {"Certificate", ObjectType::kCertificate}, {"Symmetric Key", ObjectType::kSymmetricKey},
    {"Public Key", ObjectType::kPublicKey},    {"Private Key", ObjectType::kPrivateKey},
    {"Secret Data", ObjectType::kSecretData},  {"Opaque Object", ObjectType::kOpaqueObject},
    {"PGP Key", ObjectType::kPGPKey}};
const std::map<std::string, kmip::ProtocolVersion> kVersions = {{"1.0", kmip::kVersion1_0},
                                                                {"1.1", kmip::kVersion1_1},
                                                                {"1.2", kmip::kVersion1_2},
                                                                {"1.3", kmip::kVersion1_3},
                                                                {"1.4", kmip::kVersion1_4}};

// version -> operation or attribute -> types. Empty where the facts are absent.
using Marks = std::map<std::string, std::map<std::string, std::set<std::string>>>;
Marks ReadMarks(const std::string& file) {
  std::ifstream in(DARE_SHARED_DIR "/kmip/spec/" + file);
  Marks marks;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    if (line.ends_with('\r')) line.pop_back();
    std::istringstream cells(line);
    std::string version, what, type;
    std::getline(cells, version, ',');
    std::getline(cells, what, ',');
    std::getline(cells, type, ',');
    marks[version][what].insert(type);
  }
  return marks;
}

class Applicability : public testing::Test {
 protected:
  Applicability() : issuer_(engine_.clock().Now()) { engine_.UseIssuer(&issuer_); }

  template <typename Write>
  static SecretBytes Object(Tag tag, Write write) {
    ttlv::Writer out;
    out.Structure(tag, [&] { write(out); });
    return *SecretBytes::CopyOf(out.bytes());
  }
  static void WriteBlock(ttlv::Writer& out, kmip::KeyFormatType format, ByteView value) {
    out.Structure(Tag::kKeyBlock, [&] {
      out.Enum(Tag::kKeyFormatType, format);
      out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, value); });
    });
  }

  // An Active object of the type, alice's.
  std::string Make(ObjectType type) {
    const Bytes bytes(32, 1);
    const Bytes public_key =
        crypto::ReadCertificateRequest(crypto::CertificateRequestFormat::kPkcs10,
                                       pki::Der(pki::kClientRequest))
            ->public_key;
    switch (type) {
      case ObjectType::kSymmetricKey:
        return engine_.AddAesKey(bytes);
      case ObjectType::kCertificate:
        return engine_.AddObject(
            type, *kmip::MakeCertificate(kmip::CertificateType::kX_509, pki::Der(pki::kLeaf)), {});
      case ObjectType::kPublicKey:
        return engine_.AddObject(type,
                                 Object(Tag::kPublicKey,
                                        [&](ttlv::Writer& out) {
                                          WriteBlock(out, kmip::KeyFormatType::kX_509, public_key);
                                        }),
                                 {});
      case ObjectType::kPrivateKey:
        return engine_.AddObject(type,
                                 Object(Tag::kPrivateKey,
                                        [&](ttlv::Writer& out) {
                                          WriteBlock(out, kmip::KeyFormatType::kPKCS_8, bytes);
                                        }),
                                 {});
      case ObjectType::kSecretData:
        return engine_.AddObject(type,
                                 Object(Tag::kSecretData,
                                        [&](ttlv::Writer& out) {
                                          out.Enum(Tag::kSecretDataType,
                                                   kmip::SecretDataType::kPassword);
                                          WriteBlock(out, kmip::KeyFormatType::kRaw, bytes);
                                        }),
                                 {});
      case ObjectType::kOpaqueObject:
        return engine_.AddObject(type,
                                 Object(Tag::kOpaqueObject,
                                        [&](ttlv::Writer& out) {
                                          out.Enumeration(Tag::kOpaqueDataType, 0x80000001);
                                          out.ByteString(Tag::kOpaqueDataValue, bytes);
                                        }),
                                 {});
      default:
        return engine_.AddObject(ObjectType::kPGPKey,
                                 Object(Tag::kPGPKey,
                                        [&](ttlv::Writer& out) {
                                          out.Integer(Tag::kPGPKeyVersion, 4);
                                          WriteBlock(out, kmip::KeyFormatType::kRaw, bytes);
                                        }),
                                 {});
    }
  }

  // Nothing for operations that name no object by which they could be refused.
  std::optional<ItemForTest> Try(const std::string& operation, const std::string& id,
                                 kmip::ProtocolVersion version) {
    const Identifier object(id);
    const kmip::RequestToCertify csr{kmip::CertificateRequestType::kPKCS_10,
                                     pki::Der(pki::kClientRequest)};
    if (operation == "Activate") return engine_.Do(kmip::ActivateRequest{.id = object}, version);
    if (operation == "Obtain Lease") {
      return engine_.Do(kmip::ObtainLeaseRequest{.id = object}, version);
    }
    if (operation == "Check") return engine_.Do(kmip::CheckRequest{.id = object}, version);
    if (operation == "Get Usage Allocation") {
      return engine_.Do(kmip::GetUsageAllocationRequest{.id = object, .count = 1}, version);
    }
    if (operation == "Re-key" || operation == "Re-Key") {
      return engine_.Do(kmip::ReKeyRequest{.id = object}, version);
    }
    if (operation == "Re-key Key Pair") {
      return engine_.Do(kmip::ReKeyKeyPairRequest{.id = object}, version);
    }
    if (operation == "Certify") {
      return engine_.Do(kmip::CertifyRequest{.id = object, .request = csr}, version);
    }
    if (operation == "Re-certify") {
      return engine_.Do(kmip::ReCertifyRequest{.id = object, .request = csr}, version);
    }
    if (operation == "Validate") return engine_.Do(kmip::ValidateRequest{.ids = {object}}, version);
    return std::nullopt;
  }

  EngineForTest engine_;
  const IssuerForTest issuer_;
};

TEST_F(Applicability, OperationsAreRefusedForTypesThatTheyDoNotApplyTo) {
  const Marks marks = ReadMarks("operation_by_object.csv");
  if (marks.empty()) GTEST_SKIP() << DARE_SHARED_DIR "/kmip/spec/operation_by_object.csv is absent";
  int refused = 0;
  for (const auto& [name, version] : kVersions) {
    for (const auto& [operation, applies] : marks.at(name)) {
      for (const auto& [type_name, type] : kTypes) {
        if (type == ObjectType::kPGPKey && version < kmip::kVersion1_2) continue;
        if (applies.contains(type_name)) continue;
        const auto item = Try(operation, Make(type), version);
        if (!item) continue;
        SCOPED_TRACE(name + " " + operation + " of a " + type_name);
        EXPECT_FALSE(item->success);
        const std::set<ResultReason> right = {
            ResultReason::kIllegalOperation, ResultReason::kInvalidField,
            ResultReason::kPermissionDenied, ResultReason::kKeyFormatTypeNotSupported};
        EXPECT_TRUE(right.contains(item->reason)) << static_cast<std::uint32_t>(item->reason);
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100);
}

TEST_F(Applicability, OperationsOnAnyObjectWorkForEveryTypeThatTheyApplyTo) {
  const Marks marks = ReadMarks("operation_by_object.csv");
  if (marks.empty()) GTEST_SKIP() << DARE_SHARED_DIR "/kmip/spec/operation_by_object.csv is absent";
  for (const auto& [name, version] : kVersions) {
    for (const std::string operation : {"Obtain Lease", "Check"}) {
      for (const auto& [type_name, type] : kTypes) {
        if (!marks.at(name).at(operation).contains(type_name)) continue;
        SCOPED_TRACE(name + " " + operation + " of a " + type_name);
        const ItemForTest item = *Try(operation, Make(type), version);
        EXPECT_TRUE(item.success) << item.message;
      }
    }
  }
}

TEST_F(Applicability, AnOpaqueObjectIsActivatedIn2xOnly) {
  const auto activate = [&](kmip::ProtocolVersion version) {
    const std::string id =
        engine_.AddObject(ObjectType::kOpaqueObject,
                          Object(Tag::kOpaqueObject,
                                 [&](ttlv::Writer& out) {
                                   out.Enumeration(Tag::kOpaqueDataType, 0x80000001);
                                   out.ByteString(Tag::kOpaqueDataValue, Bytes(4, 1));
                                 }),
                          {EnumForTest(Tag::kState, kmip::State::kPreActive),
                           Attribute::OfDate(Tag::kActivationDate, engine_.clock().Now() + 100)});
    return engine_.Do(kmip::ActivateRequest{.id = Identifier(id)}, version);
  };
  EXPECT_EQ(activate(kmip::kVersion1_4).reason, ResultReason::kIllegalOperation);
  EXPECT_TRUE(activate(kmip::kVersion2_1).success);
}

// Those that the annex leaves out though its own text, or a published case, has them.
bool IsLetThrough(const std::string& attribute, ObjectType type) {
  if (type == ObjectType::kOpaqueObject || type == ObjectType::kSecretData) return true;
  const bool dates = attribute == "Process Start Date" || attribute == "Protect Stop Date";
  if (dates && (type == ObjectType::kPublicKey || type == ObjectType::kPrivateKey)) return true;
  return attribute == "Link" || attribute == "Fresh" || attribute == "Cryptographic Usage Mask" ||
         attribute == "Cryptographic Algorithm" || attribute == "Cryptographic Length" ||
         type == ObjectType::kPGPKey;
}

TEST_F(Applicability, AttributesGoWithTheTypesOfTheAnnex) {
  const Marks marks = ReadMarks("attribute_by_object.csv");
  if (marks.empty()) GTEST_SKIP() << DARE_SHARED_DIR "/kmip/spec/attribute_by_object.csv is absent";
  int left_out = 0;
  for (const auto& [name, applies] : marks.at("1.4")) {
    const kmip::AttributeRule* rule = kmip::AttributeByName(name);
    if (rule == nullptr) continue;
    const kmip::AttributeFlags* flags = kmip::RulesFor(rule->tag, kmip::kVersion1_4);
    const bool by_client = flags != nullptr && flags->initially_set_by != kmip::Setter::kServer;
    for (const auto& [type_name, type] : kTypes) {
      SCOPED_TRACE(name + " of a " + type_name);
      if (applies.contains(type_name)) {
        EXPECT_TRUE(Applies(rule->tag, type));
      } else if (by_client && !IsLetThrough(name, type)) {
        EXPECT_FALSE(Applies(rule->tag, type));
        ++left_out;
      }
    }
  }
  EXPECT_GT(left_out, 5);
}

TEST_F(Applicability, AClientCannotGiveAnAttributeToATypeThatHasNone) {
  const std::string certificate = Make(ObjectType::kCertificate);
  const auto add = [&](const std::string& id, const Attribute& attribute,
                       kmip::ProtocolVersion version) {
    return engine_.Do(
        kmip::AddAttributeRequest{.id = Identifier(id), .attribute = {.attribute = attribute}},
        version);
  };
  const Attribute stop = Attribute::OfDate(Tag::kProtectStopDate, engine_.clock().Now() + 100);
  EXPECT_EQ(add(certificate, stop, kmip::kVersion1_4).reason, ResultReason::kInvalidField);
  EXPECT_EQ(add(certificate, stop, kmip::kVersion2_1).reason, ResultReason::kInvalidAttribute);
  EXPECT_TRUE(add(Make(ObjectType::kSymmetricKey), stop, kmip::kVersion2_1).success);
}

}  // namespace
}  // namespace dare::engine
