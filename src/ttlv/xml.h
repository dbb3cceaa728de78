#pragma once

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "ttlv/limits.h"
#include "ttlv/vocabulary.h"

// The XML encoding (KMIP Profiles, "XML Encoding"; Additional Message Encodings 1.0):
//
//   <RequestPayload>
//     <UniqueIdentifier type="TextString" value="1"/>
//     <TTLV tag="0x540001" type="Integer" value="7"/>
//   </RequestPayload>
//
// Without a type an element is a Structure.
namespace dare::ttlv {

// Makes TTLV of one item (a message, mostly) in XML. Every form of a value that the standard allows
// is read. Refused are other namespaces than none and KMIP's, a document type (and so entities of
// its own), text between elements, attributes nobody knows, and names the vocabulary does not have:
// kMalformed, with the line. kTooLarge over a limit; `limits` are meant for the TTLV, and memory
// for parsing is bounded by the size of the text. After an error `begun`, when it is given, has
// what was read before it: who must answer can see there in which version.
Result<WipingBytes> FromXml(ByteView xml, const Vocabulary& vocabulary, const Limits& limits = {},
                            WipingBytes* begun = nullptr);

enum class XmlLayout { kCompact, kIndented };

// Writes one item of TTLV as XML in UTF-8, without an XML declaration. kMalformed when it is not
// valid within `limits`; kUnsupported when a text has characters that XML cannot write.
Result<WipingBytes> ToXml(ByteView item, const Vocabulary& vocabulary, const Limits& limits = {},
                          XmlLayout layout = XmlLayout::kCompact);

}  // namespace dare::ttlv
