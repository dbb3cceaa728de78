#include "envelope/io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <thread>

#include "base/file.h"

namespace dare::envelope {
namespace {

// Both ends of something that holds less than is written to it.
struct Channel {
  FileDescriptor reader, writer;
};

Channel MakePipe() {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

Channel MakeSocket() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

constexpr std::size_t kMoreThanItHolds = 8u << 20;

class FdSinkTest : public testing::TestWithParam<Channel (*)()> {};

TEST_P(FdSinkTest, StopsWaitingForRoomWhenItIsCancelled) {
  Channel channel = GetParam()();
  std::atomic<bool> cancelled{false}, ended{false};
  std::optional<Result<void>> written;
  std::thread writer([&] {
    FdSink sink(channel.writer.get(), "it", &cancelled);
    written = sink.Write(Bytes(kMoreThanItHolds));
    ended = true;
  });
  // It is at work as soon as something is there; from then on it must wait, because nobody reads.
  int waiting = 0;
  while (waiting == 0 && !ended) ::ioctl(channel.reader.get(), FIONREAD, &waiting);
  EXPECT_FALSE(ended);
  cancelled = true;
  writer.join();
  ASSERT_FALSE(*written);
  EXPECT_EQ(written->error().detail, static_cast<std::uint64_t>(EINTR));
  EXPECT_EQ(::fcntl(channel.writer.get(), F_GETFL) & O_NONBLOCK, 0) << "others may have it, too";
}

TEST_P(FdSinkTest, WritesMoreThanThereIsRoomForAtOnce) {
  Channel channel = GetParam()();
  const std::atomic<bool> cancelled{false};
  Bytes sent(kMoreThanItHolds);
  for (std::size_t i = 0; i < sent.size(); ++i)
    sent[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  std::thread writer([&] {
    FdSink sink(channel.writer.get(), "it", &cancelled);
    EXPECT_TRUE(sink.Write(sent));
    channel.writer.Close();
  });
  Bytes received(sent.size() + 1);
  FdSource source(channel.reader.get(), "it", &cancelled);
  const Result<std::size_t> n = source.Read(received);
  writer.join();
  ASSERT_TRUE(n);
  received.resize(*n);
  EXPECT_TRUE(received == sent);
}

INSTANTIATE_TEST_SUITE_P(Channels, FdSinkTest, testing::Values(&MakePipe, &MakeSocket));

}  // namespace
}  // namespace dare::envelope
