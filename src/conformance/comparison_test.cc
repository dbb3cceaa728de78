#include "conformance/comparison.h"

#include <gtest/gtest.h>

#include <chrono>

#include "conformance/message_parts.h"
#include "conformance/xml_codec.h"
#include "kmip/enums.h"

namespace dare::conformance {
namespace {

using kmip::Tag;

std::int64_t Now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string Header(const std::string& name, const std::string& version, const std::string& more) {
  return "<" + name + "><ProtocolVersion><ProtocolVersionMajor type=\"Integer\" value=\"" +
         version.substr(0, 1) + "\"/><ProtocolVersionMinor type=\"Integer\" value=\"" +
         version.substr(2) + "\"/></ProtocolVersion>" + more +
         "<BatchCount type=\"Integer\" value=\"1\"/></" + name + ">";
}

std::string Operation(const std::string& name) {
  return "<Operation type=\"Enumeration\" value=\"" + name + "\"/>";
}

std::string Text(const std::string& tag, const std::string& value) {
  return "<" + tag + " type=\"TextString\" value=\"" + value + "\"/>";
}
std::string Octets(const std::string& tag, const std::string& value) {
  return "<" + tag + " type=\"ByteString\" value=\"" + value + "\"/>";
}
std::string Date(const std::string& tag, const std::string& value) {
  return "<" + tag + " type=\"DateTime\" value=\"" + value + "\"/>";
}
std::string Enumeration(const std::string& tag, const std::string& value) {
  return "<" + tag + " type=\"Enumeration\" value=\"" + value + "\"/>";
}
std::string Uid(const std::string& value) { return Text("UniqueIdentifier", value); }
// A 1.x attribute with a text value.
std::string Attribute(const std::string& name, const std::string& value) {
  return "<Attribute>" + Text("AttributeName", name) + Text("AttributeValue", value) +
         "</Attribute>";
}
std::string DateAttribute(const std::string& name, const std::string& value) {
  return "<Attribute>" + Text("AttributeName", name) + Date("AttributeValue", value) +
         "</Attribute>";
}

// A Table sets requests and answers of one operation against each other, as a running case would.
class Table {
 public:
  explicit Table(std::string operation, std::string version = "1.4")
      : operation_(std::move(operation)), version_(std::move(version)) {}

  // The request: the members of its payload.
  Table& Asked(const std::string& payload) {
    const Result<Node> printed =
        ParseXml("<RequestMessage>" + Header("RequestHeader", version_, "") + "<BatchItem>" +
                 Operation(operation_) + "<RequestPayload>" + payload +
                 "</RequestPayload></BatchItem></RequestMessage>");
    EXPECT_TRUE(printed) << (printed ? "" : printed.error().message);
    request_ = *bindings_.Fill(*printed);
    return *this;
  }
  Node Answer(const std::string& payload, const std::string& header = "",
              const std::string& before = "") const {
    const Result<Node> node = ParseXml(
        "<ResponseMessage>" + Header("ResponseHeader", version_, header) + "<BatchItem>" +
        Operation(operation_) + Enumeration("ResultStatus", "Success") + before +
        "<ResponsePayload>" + payload + "</ResponsePayload></BatchItem></ResponseMessage>");
    EXPECT_TRUE(node) << (node ? "" : node.error().message);
    return *node;
  }
  // What an earlier exchange of the case taught.
  Table& Learn(const Table& earlier, const std::string& payload) {
    bindings_.Learn(earlier.request_, earlier.Answer(payload));
    return *this;
  }

  std::optional<std::string> Compare(const Node& expected, const Node& actual) {
    Comparison comparison(bindings_, request_, options_);
    const auto difference = comparison.Run(expected, actual);
    used_ = comparison.used();
    return difference;
  }
  // Whether `actual` passes where `expected` is printed.
  bool Passes(const std::string& expected, const std::string& actual) {
    return !Compare(Answer(expected), Answer(actual));
  }
  bool PassesBy(Variation variation, const std::string& expected, const std::string& actual) {
    return Passes(expected, actual) && used_.contains(variation);
  }

  Bindings bindings_{Now()};
  Comparison::Options options_;
  Variations used_;

 private:
  std::string operation_;
  std::string version_;
  Node request_;
};

Table Asking(const std::string& operation, const std::string& payload,
             const std::string& version = "1.4") {
  Table table(operation, version);
  table.Asked(payload);
  return table;
}

TEST(Comparison, AcceptsTheSameAnswer) {
  Table table = Asking("Activate", Uid("a"));
  EXPECT_TRUE(table.Passes(Uid("a"), Uid("a")));
  EXPECT_TRUE(table.used_.empty());
}

TEST(Comparison, TellsWhereAnAnswerDiffers) {
  Table table = Asking("Activate", Uid("a"));
  const auto difference = table.Compare(table.Answer(Uid("a")), table.Answer(Uid("b")));
  ASSERT_TRUE(difference);
  EXPECT_EQ(*difference,
            "at /ResponseMessage/BatchItem/ResponsePayload/UniqueIdentifier: expected 'a', got "
            "'b'");
}

TEST(Comparison, RefusesAnotherTypeOrFieldAMissingOneAndOneMore) {
  Table table = Asking("Get", Uid("a"));
  EXPECT_FALSE(table.Passes(Uid("a"), Octets("UniqueIdentifier", "61")));
  EXPECT_FALSE(table.Passes(Uid("a"), Text("Name", "a")));
  EXPECT_FALSE(table.Passes(Uid("a"), ""));
  EXPECT_FALSE(table.Passes(Uid("a"), Uid("a") + Uid("b")));
  EXPECT_FALSE(table.Passes(Uid("a") + Octets("Data", "00"), Octets("Data", "00") + Uid("a")));
}

TEST(Comparison, RefusesAnotherResultStatusOrReason) {
  Table table = Asking("Destroy", Uid("a"));
  Node failed = table.Answer("");
  failed.members[1].members[1].value.number =
      static_cast<std::int64_t>(kmip::ResultStatus::kOperationFailed);
  EXPECT_TRUE(table.Compare(table.Answer(""), failed));
  EXPECT_TRUE(table.Compare(failed, table.Answer("")));
  const auto reason = [&](const std::string& name) {
    return table.Answer("", "", Enumeration("ResultReason", name));
  };
  EXPECT_FALSE(table.Compare(reason("ItemNotFound"), reason("ItemNotFound")));
  EXPECT_TRUE(table.Compare(reason("ItemNotFound"), reason("PermissionDenied")));
}

TEST(Comparison, BindsAnIdentifierOnceAndHoldsTheServerToIt) {
  Table table = Asking("Create", "");
  EXPECT_TRUE(table.PassesBy(Variation::kIdentifier, Uid("$UNIQUE_IDENTIFIER_0"), Uid("x")));
  EXPECT_TRUE(table.Passes(Uid("$UNIQUE_IDENTIFIER_0"), Uid("x")));
  EXPECT_FALSE(table.Passes(Uid("$UNIQUE_IDENTIFIER_0"), Uid("y")));
  // A second object must not have the first one's identifier.
  EXPECT_FALSE(table.Passes(Uid("$UNIQUE_IDENTIFIER_1"), Uid("x")));
  EXPECT_TRUE(table.Passes(Uid("$UNIQUE_IDENTIFIER_1"), Uid("y")));
}

TEST(Comparison, ALiteralIdentifierMayVaryUnlessTheRequestSaysWhichObject) {
  EXPECT_TRUE(Asking("Create", "").PassesBy(Variation::kIdentifier, Uid("printed"), Uid("x")));
  EXPECT_TRUE(Asking("Get", Uid("x")).PassesBy(Variation::kIdentifier, Uid("printed"), Uid("x")));
  EXPECT_FALSE(Asking("Get", Uid("x")).Passes(Uid("printed"), Uid("y")));
  EXPECT_FALSE(Asking("Get", Uid("printed")).Passes(Uid("printed"), Uid("y")));
}

TEST(Comparison, AnAnswerMayNameTheObjectThatTheRequestMeant) {
  Table table = Asking("Get", Uid("b"));
  table.bindings_.Bind("$UNIQUE_IDENTIFIER_1", {0, "a"});
  table.bindings_.Bind("$UNIQUE_IDENTIFIER_2", {0, "b"});
  EXPECT_TRUE(table.PassesBy(Variation::kIdentifier, Uid("$UNIQUE_IDENTIFIER_1"), Uid("b")));
  EXPECT_FALSE(table.Passes(Uid("$UNIQUE_IDENTIFIER_1"), Uid("c")));
  EXPECT_FALSE(table.Passes(Uid("$UNIQUE_IDENTIFIER_2"), Uid("a")));
  Table several = Asking("JoinSplitKey", Uid("a") + Uid("b"));
  several.bindings_.Bind("$UNIQUE_IDENTIFIER_1", {0, "a"});
  EXPECT_FALSE(several.Passes(Uid("$UNIQUE_IDENTIFIER_1"), Uid("b")));
}

TEST(Comparison, ALiteralShortIdentifierMayVaryWhenTheCaseKnowsIt) {
  Table table = Asking("GetAttributes", Uid("x"), "2.0");
  const auto brief = [](const std::string& id) { return Octets("ShortUniqueIdentifier", id); };
  EXPECT_FALSE(table.Passes(brief("00"), brief("11")));
  EXPECT_TRUE(table.Passes(brief("$SHORT_UNIQUE_IDENTIFIER_0"), brief("11")));
  EXPECT_TRUE(table.PassesBy(Variation::kIdentifier, brief("00"), brief("11")));
  EXPECT_FALSE(table.Passes(brief("00"), brief("22")));
}

TEST(Comparison, BindsCorrelationValuesAnewInEveryAnswer) {
  Table table = Asking("Encrypt", "");
  EXPECT_TRUE(table.Passes(Octets("CorrelationValue", "$CORRELATION_VALUE"),
                           Octets("CorrelationValue", "01")));
  EXPECT_TRUE(table.Passes(Octets("CorrelationValue", "$CORRELATION_VALUE"),
                           Octets("CorrelationValue", "02")));
}

TEST(Comparison, AsynchronousCorrelationValueMayVary) {
  Table table = Asking("Cancel", "");
  EXPECT_TRUE(table.PassesBy(Variation::kAsynchronousCorrelationValue,
                             Octets("AsynchronousCorrelationValue", "01"),
                             Octets("AsynchronousCorrelationValue", "02")));
  EXPECT_FALSE(table.Passes(Octets("AsynchronousCorrelationValue", "01"), ""));
}

TEST(Comparison, TimeStampMayVary) {
  Table table = Asking("Query", "");
  const auto stamped = [&](const std::string& date) {
    return table.Answer("", Date("TimeStamp", date));
  };
  EXPECT_FALSE(
      table.Compare(stamped("2010-01-01T00:00:00+00:00"), stamped("2026-01-01T00:00:00Z")));
  EXPECT_TRUE(table.used_.contains(Variation::kTimeStamp));
  EXPECT_TRUE(table.Compare(stamped("2010-01-01T00:00:00+00:00"), table.Answer("")));
  EXPECT_TRUE(table.Compare(stamped("$NOW"), stamped("2010-01-01T00:00:00Z")));
}

std::string KeyOf(const std::string& hex, const std::string& format = "Raw") {
  return "<SymmetricKey><KeyBlock>" + Enumeration("KeyFormatType", format) + "<KeyValue>" +
         Octets("KeyMaterial", hex) + "</KeyValue></KeyBlock></SymmetricKey>";
}

TEST(Comparison, KeyMaterialMayVaryWhenTheServerMadeTheKey) {
  Table registered = Asking("Get", Uid("k"));
  EXPECT_FALSE(registered.Passes(KeyOf("00112233"), KeyOf("44556677")));
  Table made = Asking("Get", Uid("k"));
  made.Learn(Asking("Create", ""), Uid("k"));
  EXPECT_TRUE(made.PassesBy(Variation::kGeneratedKey, KeyOf("00112233"), KeyOf("44556677")));
  EXPECT_FALSE(made.Passes(KeyOf("00112233"), KeyOf("445566")));
  // One that the server had ready: found, and never brought by the case.
  Table found = Asking("Get", Uid("k"));
  found.Learn(Asking("Locate", ""), Uid("k"));
  EXPECT_TRUE(found.PassesBy(Variation::kGeneratedKey, KeyOf("00112233"), KeyOf("44556677")));
  Table ours = Asking("Get", Uid("k"));
  ours.Learn(Asking("Register", ""), Uid("k")).Learn(Asking("Locate", ""), Uid("k"));
  EXPECT_FALSE(ours.Passes(KeyOf("00112233"), KeyOf("44556677")));
}

TEST(Comparison, ACertificateMayVaryWhenTheServerIssuedIt) {
  const auto certificate = [](const std::string& hex) {
    return "<Certificate>" + Octets("CertificateValue", hex) + "</Certificate>";
  };
  Table registered = Asking("Get", Uid("c"));
  registered.Learn(Asking("Register", ""), Uid("c"));
  EXPECT_FALSE(registered.Passes(certificate("00"), certificate("11")));
  Table issued = Asking("Get", Uid("c"));
  issued.Learn(Asking("Certify", ""), Uid("c"));
  EXPECT_TRUE(
      issued.PassesBy(Variation::kIssuedCertificate, certificate("00"), certificate("1122")));
  const auto length = [](const std::string& bytes) {
    return "<Attribute><AttributeName type=\"TextString\" value=\"Certificate Length\"/>"
           "<AttributeValue type=\"Integer\" value=\"" +
           bytes + "\"/></Attribute>";
  };
  EXPECT_FALSE(registered.Passes(length("635"), length("890")));
  EXPECT_TRUE(issued.PassesBy(Variation::kIssuedCertificate, length("635"), length("890")));
}

TEST(Comparison, KeyFormatTypeMayVaryWhenTheServerMadeTheKey) {
  Table registered = Asking("Get", Uid("k"));
  EXPECT_FALSE(registered.Passes(KeyOf("00"), KeyOf("00", "Opaque")));
  Table made = Asking("Get", Uid("k"));
  made.Learn(Asking("Create", ""), Uid("k"));
  EXPECT_TRUE(made.PassesBy(Variation::kKeyFormatType, KeyOf("00"), KeyOf("00", "Opaque")));
}

TEST(Comparison, OutputMayVaryWhenTheServerMadeTheKey) {
  Table registered = Asking("MAC", Uid("k"));
  EXPECT_FALSE(registered.Passes(Octets("MACData", "0011"), Octets("MACData", "2233")));
  Table made = Asking("MAC", Uid("k"));
  made.Learn(Asking("Create", ""), Uid("k"));
  EXPECT_TRUE(made.PassesBy(Variation::kCryptographicOutput, Octets("MACData", "0011"),
                            Octets("MACData", "2233")));
  EXPECT_TRUE(made.bindings_.slips().contains(Slip::kLiteralOfGeneratedKey));
  EXPECT_FALSE(made.Passes(Octets("MACData", "0011"), Octets("MACData", "223344")));
}

TEST(Comparison, OutputMayVaryWhenChanceIsInvolved) {
  const std::string parameters = "<CryptographicParameters>" +
                                 Enumeration("PaddingMethod", "OAEP") +
                                 "</CryptographicParameters>";
  Table oaep = Asking("Encrypt", Uid("k") + parameters);
  EXPECT_TRUE(
      oaep.PassesBy(Variation::kCryptographicOutput, Octets("Data", "00"), Octets("Data", "11")));
  Table plain = Asking("Encrypt", Uid("k"));
  EXPECT_FALSE(plain.Passes(Octets("Data", "00"), Octets("Data", "11")));
  Table decrypt = Asking("Decrypt", Uid("k") + parameters);
  EXPECT_FALSE(decrypt.Passes(Octets("Data", "00"), Octets("Data", "11")));
  // The key itself may say so, when it is registered.
  Table later = Asking("Encrypt", Uid("k"));
  later.Learn(Asking("Register", parameters), Uid("k"));
  EXPECT_TRUE(later.Passes(Octets("Data", "00"), Octets("Data", "11")));
  // An initial value that the server chose.
  Table chosen = Asking("Encrypt", Uid("k"));
  EXPECT_TRUE(chosen.Passes(Octets("Data", "00") + Octets("IVCounterNonce", "22"),
                            Octets("Data", "11") + Octets("IVCounterNonce", "33")));
  Table random = Asking("RNGRetrieve", "");
  EXPECT_TRUE(random.Passes(Octets("Data", "0001"), Octets("Data", "2233")));
  EXPECT_FALSE(random.Passes(Octets("Data", "0001"), Octets("Data", "22")));
}

TEST(Comparison, ASignatureMayVaryOnlyWhenItHasANonce) {
  const auto signing = [](const std::string& algorithm) {
    return Asking("Sign", Uid("k") + "<CryptographicParameters>" +
                              Enumeration("DigitalSignatureAlgorithm", algorithm) +
                              "</CryptographicParameters>");
  };
  const std::string a = Octets("SignatureData", "00");
  const std::string b = Octets("SignatureData", "11");
  EXPECT_TRUE(signing("ECDSAWithSHA256").Passes(a, b));
  EXPECT_TRUE(signing("RSASSA_PSS").Passes(a, b));
  EXPECT_FALSE(signing("SHA_256WithRSAEncryption").Passes(a, b));
}

TEST(Comparison, ADateTheServerSetMayVary) {
  Table table = Asking("GetAttributes", Uid("a") + Text("AttributeName", "Initial Date"));
  const auto date = [](const std::string& value) {
    return Uid("a") + DateAttribute("Initial Date", value);
  };
  EXPECT_TRUE(table.PassesBy(Variation::kServerDate, date("2013-06-26T05:13:47+00:00"),
                             date("2026-01-01T00:00:00+00:00")));
  EXPECT_FALSE(table.Passes(date("$NOW"), date("2010-01-01T00:00:00+00:00")));
}

TEST(Comparison, ADateThatARequestFixedMustStay) {
  Table table = Asking("GetAttributes", Uid("a") + Text("AttributeName", "Activation Date"));
  const auto date = [](const std::string& value) {
    return Uid("a") + DateAttribute("Activation Date", value);
  };
  const std::string fixed = "2013-06-26T05:13:47+00:00";
  EXPECT_TRUE(table.Passes(date(fixed), date("2026-01-01T00:00:00+00:00")));
  table.Asked(Uid("a") + DateAttribute("Activation Date", fixed));
  table.Learn(table, "");
  EXPECT_FALSE(table.Passes(date(fixed), date("2026-01-01T00:00:00+00:00")));
  EXPECT_TRUE(table.Passes(date(fixed), date(fixed)));
}

TEST(Comparison, ADateThatIsNoServerDateMustStay) {
  Table table = Asking("GetAttributes", Uid("a"));
  EXPECT_FALSE(table.Passes(Uid("a") + DateAttribute("x-date", "2013-06-26T05:13:47+00:00"),
                            Uid("a") + DateAttribute("x-date", "2013-06-26T05:13:48+00:00")));
}

TEST(Comparison, LinkedObjectIdentifierMayVary) {
  Table table = Asking("Get", "");
  EXPECT_TRUE(table.PassesBy(Variation::kLinkedObjectIdentifier,
                             Text("LinkedObjectIdentifier", "a"),
                             Text("LinkedObjectIdentifier", "b")));
  EXPECT_FALSE(table.Passes(Text("LinkedObjectIdentifier", "a"), ""));
}

TEST(Comparison, DigestOfAGeneratedObjectMayVary) {
  const auto digest = [](const std::string& algorithm, const std::string& value) {
    return "<Digest>" + Enumeration("HashingAlgorithm", algorithm) + Octets("DigestValue", value) +
           "</Digest>";
  };
  Table registered = Asking("GetAttributes", Uid("k"), "2.1");
  EXPECT_FALSE(registered.Passes(digest("SHA_256", "00"), digest("SHA_256", "11")));
  EXPECT_TRUE(
      registered.PassesBy(Variation::kDigest, digest("SHA_256", "00"), digest("SHA_512", "00")));
  Table made = Asking("GetAttributes", Uid("k"), "2.1");
  made.Learn(Asking("Create", "", "2.1"), Uid("k"));
  EXPECT_TRUE(made.PassesBy(Variation::kDigest, digest("SHA_256", "00"), digest("SHA_256", "11")));
  EXPECT_TRUE(made.Passes(digest("SHA_256", "$DIGEST_VALUE"), digest("SHA_256", "00")));
  EXPECT_TRUE(made.Passes(digest("SHA_256", "$DIGEST_VALUE"), digest("SHA_256", "11")));
  EXPECT_TRUE(registered.Passes(digest("SHA_256", "$DIGEST_VALUE"), digest("SHA_256", "00")));
  EXPECT_FALSE(registered.Passes(digest("SHA_256", "$DIGEST_VALUE"), digest("SHA_256", "11")));
  // A hash elsewhere is no digest attribute.
  EXPECT_FALSE(made.Passes(Enumeration("HashingAlgorithm", "SHA_256"),
                           Enumeration("HashingAlgorithm", "SHA_512")));
}

TEST(Comparison, QueryMayListMoreButNotLess) {
  Table table = Asking("Query", "");
  EXPECT_TRUE(table.PassesBy(Variation::kQueryLists, Operation("Get"),
                             Operation("Create") + Operation("Get")));
  EXPECT_FALSE(table.Passes(Operation("Get") + Operation("Create"), Operation("Get")));
  EXPECT_TRUE(table.Passes(Text("ApplicationNamespace", "ns"), ""));
  EXPECT_TRUE(table.Passes("", Enumeration("ObjectType", "SymmetricKey")));
  EXPECT_FALSE(Asking("Locate", "").Passes("", Enumeration("ObjectType", "SymmetricKey")));
}

TEST(Comparison, AdditionalAttributesPassOnlyWhereNoneWereNamed) {
  const std::string expected = Uid("a") + Attribute("x-1", "v");
  const std::string more = expected + Attribute("x-2", "v");
  Table all = Asking("GetAttributes", Uid("a"));
  EXPECT_TRUE(all.PassesBy(Variation::kAdditionalAttribute, expected, more));
  EXPECT_FALSE(all.Passes(more, expected));
  Table named = Asking("GetAttributes", Uid("a") + Text("AttributeName", "x-1"));
  EXPECT_FALSE(named.Passes(expected, more));
  Table list = Asking("GetAttributeList", Uid("a"));
  EXPECT_TRUE(list.Passes(Text("AttributeName", "x-1"),
                          Text("AttributeName", "x-1") + Text("AttributeName", "State")));
  EXPECT_FALSE(list.Passes(Text("AttributeName", "State"), Text("AttributeName", "x-1")));
}

TEST(Comparison, AnExportMayShowMoreAttributesButNotOtherFields) {
  const std::string state = Enumeration("State", "Active");
  const auto exported = [&](const std::string& attributes) {
    return Uid("a") + "<Attributes>" + attributes + "</Attributes>";
  };
  const std::string more = state + Enumeration("CryptographicAlgorithm", "AES");
  Table table = Asking("Export", Uid("a"), "2.0");
  EXPECT_TRUE(table.PassesBy(Variation::kAdditionalAttribute, exported(state), exported(more)));
  EXPECT_FALSE(table.Passes(exported(more), exported(state)));
  EXPECT_FALSE(table.Passes(exported(state), exported(state) + state));
  EXPECT_FALSE(Asking("Import", "", "2.0").Passes(exported(state), exported(more)));
}

TEST(Comparison, AnObjectGroupThatNoRequestNamedMayComeAndGo) {
  const std::string group = Uid("a") + Attribute("Object Group", "default");
  Table table = Asking("GetAttributes", Uid("a") + Text("AttributeName", "Object Group"));
  EXPECT_TRUE(table.PassesBy(Variation::kObjectGroup, group, Uid("a")));
  EXPECT_TRUE(table.Passes(Uid("a"), group));
  table.Asked(Uid("a") + Attribute("Object Group", "default"));
  EXPECT_FALSE(table.Passes(group, Uid("a")));
}

TEST(Comparison, AttributesOfTheServersOwnMayComeAndGo) {
  Table table = Asking("GetAttributes", Uid("a") + Text("AttributeName", "State"));
  EXPECT_TRUE(
      table.PassesBy(Variation::kServerAttribute, Uid("a"), Uid("a") + Attribute("y-own", "1")));
  EXPECT_TRUE(table.Passes(Uid("a") + Attribute("y-own", "1"), Uid("a")));
  EXPECT_FALSE(table.Passes(Uid("a"), Uid("a") + Attribute("x-own", "1")));
}

TEST(Comparison, AMessageExtensionMayComeAndGoUnlessItIsCritical) {
  const auto extension = [](const std::string& critical) {
    return "<MessageExtension>" + Text("VendorIdentification", "v") +
           "<CriticalityIndicator type=\"Boolean\" value=\"" + critical + "\"/></MessageExtension>";
  };
  Table table = Asking("Get", "");
  const Node plain = table.Answer("");
  EXPECT_FALSE(table.Compare(plain, table.Answer("", "", extension("false"))));
  EXPECT_TRUE(table.used_.contains(Variation::kMessageExtension));
  EXPECT_FALSE(table.Compare(table.Answer("", "", extension("false")), plain));
  EXPECT_TRUE(table.Compare(plain, table.Answer("", "", extension("true"))));
  EXPECT_TRUE(table.Compare(table.Answer("", "", extension("true")), plain));
}

TEST(Comparison, ATemplateAttributeMayComeAndGo) {
  const std::string attributes =
      "<TemplateAttribute>" + Attribute("x-1", "v") + "</TemplateAttribute>";
  Table table = Asking("Create", "");
  EXPECT_TRUE(table.PassesBy(Variation::kTemplateAttribute, Uid("a") + attributes, Uid("a")));
  EXPECT_TRUE(table.Passes(Uid("a"), Uid("a") + attributes));
  EXPECT_FALSE(table.Passes(
      Uid("a") + "<TemplateAttribute>" + Attribute("x-1", "w") + "</TemplateAttribute>",
      Uid("a") + attributes));
}

TEST(Comparison, AttributeIndexZeroMayComeAndGoSinceVersion11) {
  const auto indexed = [](const std::string& index) {
    return "<Attribute>" + Text("AttributeName", "x-1") +
           "<AttributeIndex type=\"Integer\" value=\"" + index + "\"/>" +
           Text("AttributeValue", "v") + "</Attribute>";
  };
  Table table = Asking("AddAttribute", "");
  EXPECT_TRUE(table.PassesBy(Variation::kAttributeIndexZero, Attribute("x-1", "v"), indexed("0")));
  EXPECT_TRUE(table.Passes(indexed("0"), Attribute("x-1", "v")));
  EXPECT_FALSE(table.Passes(Attribute("x-1", "v"), indexed("1")));
  EXPECT_FALSE(Asking("AddAttribute", "", "1.0").Passes(Attribute("x-1", "v"), indexed("0")));
}

TEST(Comparison, ResultMessageIsFree) {
  Table table = Asking("Get", "");
  const auto saying = [&](const std::string& text) {
    return table.Answer("", "", Text("ResultMessage", text));
  };
  EXPECT_FALSE(table.Compare(saying("NOT_FOUND"), saying("no such object")));
  EXPECT_TRUE(table.used_.contains(Variation::kResultMessage));
  EXPECT_FALSE(table.Compare(saying("NOT_FOUND"), table.Answer("")));
  EXPECT_FALSE(table.Compare(table.Answer(""), saying("NOT_FOUND")));
}

TEST(Comparison, VendorIdentificationIsFreeInQueryOnly) {
  Table query = Asking("Query", "");
  EXPECT_TRUE(query.PassesBy(Variation::kVendorIdentification, Text("VendorIdentification", "a"),
                             Text("VendorIdentification", "b")));
  EXPECT_TRUE(query.Passes(Text("VendorIdentification", "a"), ""));
  EXPECT_FALSE(Asking("Get", "").Passes(Text("VendorIdentification", "a"),
                                        Text("VendorIdentification", "b")));
}

TEST(Comparison, DiscoveredVersionsMayBeMoreWhenTheRequestListsNone) {
  const auto version = [](const std::string& minor) {
    return "<ProtocolVersion><ProtocolVersionMajor type=\"Integer\" value=\"1\"/>"
           "<ProtocolVersionMinor type=\"Integer\" value=\"" +
           minor + "\"/></ProtocolVersion>";
  };
  Table open = Asking("DiscoverVersions", "");
  EXPECT_TRUE(
      open.PassesBy(Variation::kDiscoveredVersions, version("1"), version("2") + version("1")));
  EXPECT_FALSE(open.Passes(version("2") + version("1"), version("1")));
  Table listed = Asking("DiscoverVersions", version("1"));
  EXPECT_FALSE(listed.Passes(version("1"), version("2") + version("1")));
}

TEST(Comparison, ServerCorrelationValueMayVaryComeAndGo) {
  Table table = Asking("Get", "");
  const auto header = [&](const std::string& text) {
    return table.Answer("", Text("ServerCorrelationValue", text));
  };
  EXPECT_FALSE(table.Compare(header("a"), header("b")));
  EXPECT_TRUE(table.used_.contains(Variation::kServerCorrelationValue));
  EXPECT_FALSE(table.Compare(table.Answer(""), header("b")));
  EXPECT_FALSE(table.Compare(header("a"), table.Answer("")));
}

TEST(Comparison, ARepeatedClientCorrelationValueIsADifference) {
  Table table = Asking("Get", "");
  EXPECT_TRUE(
      table.Compare(table.Answer(""), table.Answer("", Text("ClientCorrelationValue", "c"))));
}

TEST(Comparison, ServerInformationIsTheVendorsOwn) {
  Table table = Asking("Query", "");
  EXPECT_TRUE(
      table.PassesBy(Variation::kServerInformation, "<ServerInformation/>",
                     "<ServerInformation>" + Text("ServerName", "s") + "</ServerInformation>"));
  EXPECT_FALSE(table.Passes("<ServerInformation/>", ""));
}

TEST(Comparison, AttributesStandInNoOrder) {
  Table table = Asking("GetAttributes",
                       Uid("a") + Text("AttributeName", "x-1") + Text("AttributeName", "x-2"));
  EXPECT_TRUE(table.Passes(Uid("a") + Attribute("x-1", "1") + Attribute("x-2", "2"),
                           Uid("a") + Attribute("x-2", "2") + Attribute("x-1", "1")));
  EXPECT_FALSE(table.Passes(Uid("a") + Attribute("x-1", "1") + Attribute("x-2", "2"),
                            Uid("a") + Attribute("x-2", "1") + Attribute("x-1", "2")));
}

TEST(Comparison, WhatLocateFoundHasAnOrderSince20) {
  EXPECT_TRUE(Asking("Locate", "", "1.4").Passes(Uid("a") + Uid("b"), Uid("b") + Uid("a")));
  EXPECT_FALSE(Asking("Locate", "", "2.0").Passes(Uid("a") + Uid("b"), Uid("b") + Uid("a")));
}

TEST(Comparison, AnotherProtocolVersionPassesOnlyWhereTheFileMixesThem) {
  Table table = Asking("Get", "", "1.2");
  const Node printed = Asking("Get", "", "1.1").Answer("");
  EXPECT_TRUE(table.Compare(printed, table.Answer("")));
  table.options_.versions_may_be_mixed = true;
  EXPECT_FALSE(table.Compare(printed, table.Answer("")));
  EXPECT_TRUE(table.bindings_.slips().contains(Slip::kOtherVersionPrinted));
  // Even then it must be the request's.
  EXPECT_TRUE(table.Compare(printed, Asking("Get", "", "1.3").Answer("")));
}

TEST(Variations, EachHasAWordAndAText) {
  EXPECT_FALSE(VariationSource().empty());
  for (const VariationRule& rule : VariationRules()) {
    EXPECT_FALSE(rule.name.empty());
    EXPECT_FALSE(rule.text.empty());
    EXPECT_EQ(&RuleOf(rule.variation), &rule);
  }
}

}  // namespace
}  // namespace dare::conformance
