// Writes the seeds of corpus/esdk: messages of every frame shape, a key block area before, in the
// middle of and after a rewrap, and messages cut and extended.
#include <cstdio>
#include <string>

#include "base/file.h"
#include "envelope/key_block.h"
#include "envelope/message_sealer.h"
#include "esdk_keys.h"

namespace dare::envelope {
namespace {

struct Seeds {
  std::string folder;

  void Save(const std::string& name, ByteView bytes) const {
    CHECK(WriteFileDurably(folder + "/" + name, bytes, 0644).has_value());
  }
};

Bytes Message(std::size_t size, std::uint32_t frame_length, bool context) {
  MessageOptions options;
  options.frame_length = frame_length;
  if (context) CHECK(options.context.Add("tenant", "acme").has_value());
  MessageSealer sealer = MessageSealer::Create(KeysForFuzz(), options).value();
  const Bytes plain(size, 'p');
  MemorySource in(plain);
  MemorySink out;
  CHECK(out.Write(sealer.header()).has_value());
  SealInput input;
  input.stream = &in;
  SealOutput output;
  output.stream = &out;
  CHECK(SealBody(sealer, input, output, {}).has_value());
  return Bytes(out.bytes().begin(), out.bytes().end());
}

void WriteMessages(const Seeds& seeds) {
  seeds.Save("empty-plaintext", Message(0, 16, false));
  seeds.Save("one-frame", Message(10, 16, true));
  seeds.Save("full-final-frame", Message(32, 16, false));
  seeds.Save("three-frames", Message(40, 16, true));
  const Bytes message = Message(40, 16, false);
  seeds.Save("cut-in-header", ByteView(message).first(100));
  seeds.Save("cut-in-frame", ByteView(message).first(message.size() - 5));
  Bytes longer = message;
  longer.push_back(0);
  seeds.Save("extended", longer);
}

void WriteAreas(const Seeds& seeds) {
  KeyBlock block = KeyBlock::New().value();
  const Bytes before = SealKeyBlock(block, KeysForFuzz()).value();
  block.generation = 2;
  const Bytes after = SealKeyBlock(block, KeysForFuzz()).value();
  const auto save = [&](const std::string& name, const Bytes& one, const Bytes& two) {
    Bytes area = one;
    Append(area, two);
    seeds.Save(name, area);
  };
  save("area-fresh", before, before);
  save("area-between", before, after);
  save("area-replacing", before, Bytes(kSlotSize));
}

}  // namespace
}  // namespace dare::envelope

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: esdk_seeds FOLDER\n");
    return 2;
  }
  const dare::envelope::Seeds seeds{argv[1]};
  dare::envelope::WriteMessages(seeds);
  dare::envelope::WriteAreas(seeds);
  return 0;
}
