// Writes the seeds of the targets xml and json: what is valid in the corpora of TTLV, in both
// encodings, and texts of our own that go to the edges.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "kmip/vocabulary.h"
#include "ttlv/json.h"
#include "ttlv/xml.h"

namespace dare {
namespace {

namespace fs = std::filesystem;

struct Seed {
  const char* name;
  std::string text;
};

void Write(const fs::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::string Repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

const std::vector<Seed> kXml = {
    {"forms-of-integers",
     "<KeyMaterial><P type='Integer' value='+7'/><P type='Integer' value='0xffffffff'/>"
     "<P type='LongInteger' value='0x8000000000000000'/><P type='BigInteger' "
     "value='0x00000000000000ff'/><LeaseTime type='Interval' value='0x00000001'/></KeyMaterial>"},
    {"forms-of-dates",
     "<Attributes><ActivationDate type='DateTime' value='2001-01-01T24:00:00.25-03:30'/>"
     "<ActivationDate type='DateTime' value='-1'/><ActivationDate type='DateTimeExtended' "
     "value='1969-12-31T23:59:59.999999Z'/></Attributes>"},
    {"masks", "<CryptographicUsageMask type='Integer' value='Encrypt|Decrypt 0x80000000 Sign'/>"},
    {"attribute-1x",
     "<Attribute><AttributeName type='TextString' value='State'/><AttributeValue "
     "type='Enumeration' value='Active'/></Attribute>"},
    {"extension",
     "<TTLV tag='0x540001' name='x'><TTLV tag='0x54ffff' type='Boolean' value='1'/></TTLV>"},
    {"references", "<Comment type='TextString' value='&lt;&#x1F511;&#10;&quot;&amp;'/>"},
    {"namespace",
     "<?xml version='1.0' encoding='UTF-8'?><!-- c --><k:Name xmlns:k='urn:oasis:tc:kmip:xmlns' "
     "xml:lang='en'><k:NameValue type='TextString' value='a'/></k:Name>"},
    {"latin-1",
     "<?xml version='1.0' encoding='ISO-8859-1'?><Comment type='TextString' value='\xE9'/>"},
    {"draft", "<UniqueIdentifier type='Identifier' value='a'/>"},
    {"entities", "<!DOCTYPE a [<!ENTITY b 'c'>]><Comment type='TextString' value='&b;'/>"},
    {"empty-element-stopped", "<TTLV tag='0x550000'/>"},
    {"deep", Repeated("<Attributes>", 32) + Repeated("</Attributes>", 32)},
    {"too-deep", Repeated("<Attributes>", 40)},
};

const std::vector<Seed> kJson = {
    {"forms-of-integers",
     R"({"tag":"KeyMaterial","value":[{"tag":"P","type":"Integer","value":-7},)"
     R"({"value":"0x8000000000000000","type":"LongInteger","tag":"P"},)"
     R"({"tag":"P","type":"BigInteger","value":-1},{"tag":"P","type":"BigInteger",)"
     R"("value":"0x00000000000000ff"},{"tag":"LeaseTime","type":"Interval","value":1}]})"},
    {"dates", R"({"tag":"Attributes","value":[{"tag":"ActivationDate","type":"DateTime","value":)"
              R"("0x0000000000000000"},{"tag":"ActivationDate","type":"DateTime","value":0}]})"},
    {"masks", R"({"tag":"CryptographicUsageMask","type":"Integer","value":"Encrypt|0x80000000"})"},
    {"attribute-1x",
     R"({"tag":"Attribute","value":[{"tag":"AttributeName","type":"TextString","value":"State"},)"
     R"({"tag":"AttributeValue","type":"Enumeration","value":"Active"}]})"},
    {"extension",
     R"({"value":[{"tag":"0x54ffff","type":"Boolean","value":true}],"tag":"0x540001"})"},
    {"escapes", R"({"tag":"Comment","type":"TextString","value":"\ud83d\udd11\u0000\n\"\\\/"})"},
    {"draft", R"({"tag":"UniqueIdentifier","type":"NameReference","value":"a"})"},
    {"nothing", R"( {"tag":"RequestPayload","name":"x","value":null} )"},
    {"twice", R"({"tag":"RequestPayload","tag":"Get"})"},
    {"numbers", R"({"tag":"P","type":"LongInteger","value":18446744073709551615})"},
    {"not-whole", R"({"tag":"P","type":"Integer","value":1.5e300})"},
    {"deep", Repeated(R"({"tag":"Attributes","value":[)", 32) + Repeated("]}", 32)},
    {"too-deep", Repeated(R"({"value":[)", 70)},
};

void Translate(const fs::path& corpus, const fs::path& xml, const fs::path& json) {
  for (const auto& entry : fs::directory_iterator(corpus)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::string name = corpus.filename().string() + "-" + entry.path().filename().string();
    // One of each request is enough.
    if (name.find("-of-new-") != std::string::npos || name.ends_with("-1.0")) continue;
    const auto as_xml = ttlv::ToXml(AsBytes(bytes), kmip::Vocabulary());
    if (as_xml.has_value()) Write(xml / name, AsText(*as_xml));
    const auto as_json = ttlv::ToJson(AsBytes(bytes), kmip::Vocabulary());
    if (as_json.has_value()) Write(json / name, AsText(*as_json));
  }
}

}  // namespace
}  // namespace dare

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: text_seeds XML_FOLDER JSON_FOLDER TTLV_CORPUS…\n");
    return 2;
  }
  const std::filesystem::path xml = argv[1], json = argv[2];
  std::filesystem::create_directories(xml);
  std::filesystem::create_directories(json);
  for (const auto& seed : dare::kXml) dare::Write(xml / seed.name, seed.text);
  for (const auto& seed : dare::kJson) dare::Write(json / seed.name, seed.text);
  for (int i = 3; i < argc; ++i) dare::Translate(argv[i], xml, json);
  return 0;
}
