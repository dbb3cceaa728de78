#pragma once

#include <string>

#include "base/bytes.h"

namespace dare::ttlv {

// Renders encoded items as indented text for people, one item a line: tag, type, length, and the
// value of numbers, Booleans and dates. Byte Strings, Big Integers and Text Strings show only their
// length: they may be keys and passwords. Works on any bytes: where they stop being TTLV, it says
// so and ends.
std::string Print(ByteView items);

}  // namespace dare::ttlv
