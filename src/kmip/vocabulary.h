#pragma once

#include "ttlv/vocabulary.h"

namespace dare::kmip {

// KMIP's names for the XML and JSON encodings, of all versions at once: which of them a version has
// is the business of those who read the message.
const ttlv::Vocabulary& Vocabulary();

}  // namespace dare::kmip
