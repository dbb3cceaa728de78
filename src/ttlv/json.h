#pragma once

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "ttlv/limits.h"
#include "ttlv/vocabulary.h"

// The JSON encoding (KMIP Profiles, "JSON Encoding"; Additional Message Encodings 1.0):
//
//   {"tag":"RequestPayload", "value":[
//     {"tag":"UniqueIdentifier", "type":"TextString", "value":"1"},
//     {"tag":"0x540001", "type":"Integer", "value":"0x00000007"} ]}
//
// Without a type an object is a Structure.
namespace dare::ttlv {

// Makes TTLV of one item (a message, mostly) in JSON. Every form of a value that the standard
// allows is read, the members of an object in any order. Refused are members nobody knows, members
// that come twice (two readers could take different ones), and names the vocabulary does not have:
// kMalformed. kTooLarge over a limit; `limits` are meant for the TTLV. `begun` as in FromXml.
Result<WipingBytes> FromJson(ByteView json, const Vocabulary& vocabulary, const Limits& limits = {},
                             WipingBytes* begun = nullptr);

// Writes one item of TTLV as JSON in UTF-8, on one line, numbers as hexadecimal text, as OASIS
// prints them. kMalformed when the item is not valid within `limits`.
Result<WipingBytes> ToJson(ByteView item, const Vocabulary& vocabulary, const Limits& limits = {});

}  // namespace dare::ttlv
