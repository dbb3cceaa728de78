#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

// The request identity: what a client calls one change, so that it can ask again when the answer
// was lost, and nothing is done twice. KMIP has no field for it but lets vendors add some: a
// Message Extension of ours behind the Request Payload (docs/formats/request-identity.md). A server
// that does not know it may do the request all the same, unless the extension is critical.
namespace dare::kmip {

//= kmip-2.1 9.13 Message Extension
//# The Vendor Identification SHALL be a text string that uniquely identifies the vendor
inline constexpr std::string_view kVendor = "OpenDaRE";
// The one member of our Vendor Extension: a Byte String of our range of tags.
inline constexpr Tag kRequestIdentity = static_cast<Tag>(0x54DA01);
inline constexpr std::size_t kLeastRequestIdentity = 16;
inline constexpr std::size_t kMostRequestIdentity = 64;

// What a Message Extension says.
struct MessageExtension {
  bool critical = false;             // and not known here: the message must be refused
  std::optional<ByteView> identity;  // it is ours, and names the request
};

// At Message Extension. kMalformed for one that is none, and for an identity of another length: who
// believes to be protected must not be deceived.
Result<MessageExtension> ReadMessageExtension(ttlv::Reader& in);
void WriteRequestIdentity(ttlv::Writer& out, ByteView identity, bool critical);

}  // namespace dare::kmip
