#include "text_encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::CheckTextEncoding({data, size}, dare::WriteXml, dare::ReadXml);
  return 0;
}
