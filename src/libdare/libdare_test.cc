// libdare through its installed headers, against key servers in this process.
#include <dare/client.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "base/secret_bytes.h"
#include "libdare/wrapping_server_for_test.h"

namespace dare::lib {
namespace {

using std::chrono::milliseconds;

Client Opened(const std::vector<dare::client::Endpoint>& servers) {
  Client client;
  const Status status = client.Open(ConfigFileForTest("client.toml", servers));
  EXPECT_TRUE(status) << status.message;
  return client;
}

bool SameBytes(ByteSpan a, ByteSpan b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

// Seals and opens `size` bytes as streams.
Status StreamThereAndBack(Client& client, std::size_t size) {
  std::vector<std::byte> plain(size), sealed, opened;
  for (std::size_t i = 0; i < size; ++i) plain[i] = static_cast<std::byte>(i * 7 + i / 251);
  const auto from = [](const std::vector<std::byte>& bytes) {
    return [&bytes, at = std::size_t{0}](std::span<std::byte> buffer) mutable {
      const std::size_t n = std::min(buffer.size(), bytes.size() - at);
      if (n > 0) std::memcpy(buffer.data(), bytes.data() + at, n);
      at += n;
      return static_cast<std::ptrdiff_t>(n);
    };
  };
  const auto to = [](std::vector<std::byte>& bytes) {
    return [&bytes](std::span<const std::byte> piece) {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      return true;
    };
  };
  Status status = client.SealStream("", from(plain), to(sealed));
  if (status) status = client.OpenStream(from(sealed), to(opened));
  if (status && opened != plain) return {DARE_FAILED, "another content came back"};
  return status;
}

Status ValueThereAndBack(Client& client, std::string_view text) {
  const auto sealed = client.SealValue("", {{"column", "name"}}, AsBytes(text));
  if (!sealed) return sealed.status();
  const auto opened = client.OpenValue({{"column", "name"}}, sealed->bytes());
  if (!opened) return opened.status();
  return opened->text() == text ? Status() : Status{DARE_FAILED, "another value came back"};
}

Status DataKeyThereAndBack(Client& client) {
  const auto made = client.GenerateDataKey("", {{"use", "test"}});
  if (!made) return made.status();
  const auto back = client.UnwrapDataKey({{"use", "test"}}, made->wrapped());
  if (!back) return back.status();
  return SameBytes(made->Reveal(), back->Reveal()) ? Status()
                                                   : Status{DARE_FAILED, "another key came back"};
}

TEST(Libdare, ValuesComeBackForTheirContextOnly) {
  WrappingServerForTest server;
  Client client = Opened({server.endpoint()});
  for (const std::string& text : {std::string(), std::string("x"), std::string(1 << 20, 'y')}) {
    const Status status = ValueThereAndBack(client, text);
    EXPECT_TRUE(status) << status.message;
  }
  const auto sealed = client.SealValue("test", {{"column", "name"}}, AsBytes("Ada"));
  ASSERT_TRUE(sealed);
  const int unwraps = server.unwraps;
  EXPECT_EQ(client.OpenValue({{"column", "city"}}, sealed->bytes()).status().code, DARE_DAMAGED);
  EXPECT_EQ(client.OpenValue({}, sealed->bytes()).status().code, DARE_DAMAGED);
  EXPECT_EQ(server.unwraps, unwraps) << "nobody was asked";
  EXPECT_EQ(client.SealValue("", {{"dare-x", "1"}}, {}).status().code, DARE_USAGE);
  EXPECT_EQ(client.SealValue("", {{"Column", "1"}}, {}).status().code, DARE_USAGE);
  EXPECT_EQ(client.SealValue("", {{"a", nullptr}}, {}).status().code, DARE_USAGE);
}

TEST(Libdare, DataKeysComeBackAndAreWrappedAnew) {
  WrappingServerForTest server;
  Client client = Opened({server.endpoint()});
  const auto made = client.GenerateDataKey("", {{"use", "a"}});
  ASSERT_TRUE(made) << made.status().message;
  EXPECT_EQ(made->Reveal().size(), 32u);
  const auto moved = client.RewrapDataKey("", {{"use", "b"}}, *made);
  ASSERT_TRUE(moved) << moved.status().message;
  EXPECT_TRUE(SameBytes(made->Reveal(), moved->Reveal()));
  EXPECT_FALSE(SameBytes(made->wrapped(), moved->wrapped()));
  const auto back = client.UnwrapDataKey({{"use", "b"}}, moved->wrapped());
  ASSERT_TRUE(back) << back.status().message;
  EXPECT_TRUE(SameBytes(made->Reveal(), back->Reveal()));
  EXPECT_TRUE(SameBytes(moved->wrapped(), back->wrapped()));
  EXPECT_EQ(client.UnwrapDataKey({{"use", "a"}}, moved->wrapped()).status().code, DARE_DAMAGED);
  EXPECT_EQ(client.OpenValue({{"use", "b"}}, moved->wrapped()).status().code, DARE_DAMAGED);
  const auto brought = client.WrapDataKey("", {}, AsBytes("sixteen bytes !!"));
  ASSERT_TRUE(brought) << brought.status().message;
  EXPECT_EQ(client.WrapDataKey("", {}, AsBytes("short")).status().code, DARE_USAGE);
}

TEST(Libdare, RecoveryKeysOfTheConfigurationGetACopyOfEverything) {
  WrappingServerForTest server;
  const std::string command = "cd " + dare::client::PkiFolderForTest() +
                              " && openssl genrsa 2048 2>openssl.log | openssl rsa -pubout "
                              "-out recovery.pem 2>openssl.log";
  ASSERT_EQ(std::system(command.c_str()), 0);
  Client client;
  const Status status = client.Open(ConfigFileForTest("recovery.toml", {server.endpoint()},
                                                      "recovery_keys = [\"recovery.pem\"]\n"));
  ASSERT_TRUE(status) << status.message;
  auto caching = client.WithCache();
  const std::string_view mark = "offline-recovery";
  for (Client* handle : {&client, &*caching}) {
    const auto value = handle->SealValue("", {}, AsBytes("text"));
    ASSERT_TRUE(value) << value.status().message;
    EXPECT_NE(value->text().find(mark), std::string::npos);
    EXPECT_TRUE(handle->OpenValue({}, value->bytes()));
    const auto key = handle->GenerateDataKey("", {});
    ASSERT_TRUE(key) << key.status().message;
    const std::string_view wrapped(reinterpret_cast<const char*>(key->wrapped().data()),
                                   key->wrapped().size());
    EXPECT_NE(wrapped.find(mark), std::string::npos);
    EXPECT_TRUE(StreamThereAndBack(*handle, 100));
  }
}

TEST(Libdare, ARewrapLosesNoRecoveryCopyByOversight) {
  WrappingServerForTest server;
  const std::string folder = dare::client::PkiFolderForTest() + "/";
  const std::string command = "cd " + folder +
                              " && openssl genrsa 2048 2>openssl.log | openssl rsa -pubout "
                              "-out kept.pem 2>openssl.log && echo content > content";
  ASSERT_EQ(std::system(command.c_str()), 0);
  Client with;
  ASSERT_TRUE(with.Open(
      ConfigFileForTest("kept.toml", {server.endpoint()}, "recovery_keys = [\"kept.pem\"]\n")));
  const std::string sealed = folder + "content.dare";
  ASSERT_TRUE(with.SealFile("", folder + "content", sealed));
  const auto bytes = [&] {
    std::ifstream in(sealed, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string before = bytes();
  Client without = Opened({server.endpoint()});
  EXPECT_EQ(without.RewrapFile("", sealed).code, DARE_USAGE);
  EXPECT_EQ(bytes(), before);
  EXPECT_TRUE(with.RewrapFile("", sealed));
  EXPECT_NE(bytes(), before);
  EXPECT_NE(bytes().find("offline-recovery"), std::string::npos);
  EXPECT_TRUE(without.OpenFile(sealed, folder + "back"));
}

TEST(Libdare, ACacheAsksOnceAndForgetsWhenTold) {
  WrappingServerForTest server;
  Client plain = Opened({server.endpoint()});
  Limits limits;
  limits.uses = 10;
  limits.refresh_seconds = 0;
  auto made = plain.WithCache(limits);
  ASSERT_TRUE(made) << made.status().message;
  Client& caching = *made;
  std::vector<Buffer> sealed;
  for (int i = 0; i < 10; ++i) {
    auto value = caching.SealValue("", {{"column", "name"}}, AsBytes("value"));
    ASSERT_TRUE(value) << value.status().message;
    sealed.push_back(std::move(*value));
  }
  EXPECT_EQ(server.wraps, 1) << "ten uses";
  for (const Buffer& value : sealed) {
    const auto opened = caching.OpenValue({{"column", "name"}}, value.bytes());
    ASSERT_TRUE(opened) << opened.status().message;
  }
  EXPECT_EQ(server.unwraps, 2) << "one proves the wrapping, one opens";
  // Revoked: what is kept goes on until its time is over, a handle without a cache ends now.
  server.denies = true;
  EXPECT_TRUE(caching.OpenValue({{"column", "name"}}, sealed[0].bytes()));
  EXPECT_EQ(plain.OpenValue({{"column", "name"}}, sealed[0].bytes()).status().code, DARE_DENIED);
  EXPECT_EQ(caching.SealValue("", {{"column", "name"}}, AsBytes("v")).status().code, DARE_DENIED)
      << "the eleventh use";
  EXPECT_TRUE(caching.FlushCache());
  EXPECT_EQ(caching.OpenValue({{"column", "name"}}, sealed[0].bytes()).status().code, DARE_DENIED);
  EXPECT_EQ(caching.CacheCounts()->entries, 0u);
  EXPECT_EQ(plain.FlushCache().code, DARE_USAGE) << "it has none";
}

TEST(Libdare, ACacheOfNoTimeAsksEveryTime) {
  WrappingServerForTest server;
  Client plain = Opened({server.endpoint()});
  Limits limits;
  limits.seconds = 0;
  auto caching = plain.WithCache(limits);
  ASSERT_TRUE(caching);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ValueThereAndBack(*caching, "v"));
  EXPECT_EQ(server.wraps, 3);
  limits.struct_size -= 1;
  EXPECT_EQ(plain.WithCache(limits).status().code, DARE_USAGE);
}

TEST(Libdare, CancellingEndsTheCallsOfOneHandle) {
  WrappingServerForTest server;
  Client client = Opened({server.endpoint()});
  auto one = client.WithTimeout(milliseconds(0));
  auto below = one->WithTimeout(milliseconds(0));
  ASSERT_TRUE(below);
  server.hangs = true;
  std::atomic<int> cancelled{0};
  {
    std::vector<std::jthread> threads;
    for (Client* handle : {&*one, &*below}) {
      threads.emplace_back([&, handle] {
        const Status status = ValueThereAndBack(*handle, "v");
        EXPECT_EQ(status.code, DARE_CANCELLED) << status.message;
        ++cancelled;
      });
    }
    while (server.requests() < 2) std::this_thread::yield();
    one->Cancel();
  }
  EXPECT_EQ(cancelled, 2);
  server.hangs = false;
  EXPECT_TRUE(ValueThereAndBack(client, "v"));
  EXPECT_EQ(ValueThereAndBack(*one, "v").code, DARE_CANCELLED) << "for good";
  EXPECT_EQ(ValueThereAndBack(*one->WithTimeout(milliseconds(0)), "v").code, DARE_CANCELLED);
  EXPECT_EQ(StreamThereAndBack(*one, 1000).code, DARE_CANCELLED);
}

// Pushes `bytes` in pieces of odd sizes into a stream, which writes to `out`.
Status PushAll(Stream& stream, const std::vector<std::byte>& bytes) {
  for (std::size_t at = 0, n = 1; at < bytes.size(); at += n, n = n * 3 % 100'003) {
    n = std::min(n, bytes.size() - at);
    if (Status status = stream.Push(ByteSpan(bytes).subspan(at, n)); !status) return status;
  }
  return stream.Finish();
}

Write Into(std::vector<std::byte>& out) {
  return [&out](std::span<const std::byte> piece) {
    out.insert(out.end(), piece.begin(), piece.end());
    return true;
  };
}

TEST(Libdare, StreamsArePushedInPiecesToo) {
  WrappingServerForTest server;
  Client client = Opened({server.endpoint()});
  for (const std::size_t size : {0u, 1u, 1'000'000u}) {
    std::vector<std::byte> plain(size, std::byte{7}), sealed, opened;
    auto sealing = client.BeginSeal("", Into(sealed));
    ASSERT_TRUE(sealing) << sealing.status().message;
    Status status = PushAll(*sealing, plain);
    EXPECT_TRUE(status) << status.message;
    auto opening = client.BeginOpen(Into(opened));
    ASSERT_TRUE(opening);
    status = PushAll(*opening, sealed);
    EXPECT_TRUE(status) << status.message;
    EXPECT_EQ(opened, plain);
    EXPECT_EQ(opening->Push(AsBytes("more")).code, DARE_USAGE) << "it has ended";
    EXPECT_TRUE(opening->Finish()) << "and ended well";
  }
}

TEST(Libdare, APushedStreamTellsItsFailureAndCanBeGivenUp) {
  WrappingServerForTest server;
  Client client = Opened({server.endpoint()});
  const std::vector<std::byte> noise(100'000, std::byte{0x55});
  std::vector<std::byte> out;
  auto opening = client.BeginOpen(Into(out));
  EXPECT_EQ(PushAll(*opening, noise).code, DARE_DAMAGED);
  EXPECT_EQ(opening->Push(noise).code, DARE_DAMAGED);
  EXPECT_EQ(opening->Finish().code, DARE_DAMAGED);
  EXPECT_TRUE(out.empty());

  auto refused = client.BeginSeal("", [](std::span<const std::byte>) { return false; });
  EXPECT_EQ(PushAll(*refused, noise).code, DARE_FAILED);

  server.denies = true;
  auto denied = client.BeginSeal("", Into(out));
  EXPECT_EQ(PushAll(*denied, noise).code, DARE_DENIED);
  server.denies = false;

  auto cancelled = client.BeginSeal("", Into(out));
  auto begun = std::move(*cancelled);
  ASSERT_TRUE(begun.Push(noise));
  cancelled = Status{DARE_FAILED, ""};
  begun = Stream();  // gives up, and waits for its thread
  server.hangs = true;
  auto waiting = client.BeginSeal("", Into(out));
  waiting = Status{DARE_FAILED, ""};  // does not wait for the key server
  server.hangs = false;
}

TEST(Libdare, CancellingEndsAStreamInItsMiddle) {
  WrappingServerForTest server;
  Client client = Opened({server.endpoint()});
  const Status status = client.SealStream(
      "",
      [&](std::span<std::byte> buffer) {
        std::fill(buffer.begin(), buffer.end(), std::byte{0});
        return static_cast<std::ptrdiff_t>(buffer.size());
      },
      [&](std::span<const std::byte>) {
        client.Cancel();
        return true;
      });
  EXPECT_EQ(status.code, DARE_CANCELLED) << status.message;
}

TEST(Libdare, ACancelledHandleTakesNothingFromItsCacheEither) {
  WrappingServerForTest server;
  Client client = Opened({server.endpoint()});
  auto caching = client.WithCache();
  ASSERT_TRUE(caching);
  ASSERT_TRUE(ValueThereAndBack(*caching, "v"));
  caching->Cancel();
  EXPECT_EQ(ValueThereAndBack(*caching, "v").code, DARE_CANCELLED);
}

TEST(Libdare, ATimeLimitIsForAllRequestsOfACallTogether) {
  WrappingServerForTest server;
  Client client = Opened({server.endpoint()});
  ASSERT_TRUE(ValueThereAndBack(client, "v"));
  auto hurried = client.WithTimeout(milliseconds(300));
  ASSERT_TRUE(hurried);
  server.hangs = true;
  EXPECT_EQ(ValueThereAndBack(*hurried, "v").code, DARE_UNREACHABLE);
  server.hangs = false;
  EXPECT_TRUE(ValueThereAndBack(*hurried, "v")) << "each call has its own";
}

class ReaderTest : public testing::Test {
 protected:
  static constexpr std::size_t kSize = 1'500'000;

  ReaderTest()
      : path_(dare::client::PkiFolderForTest() + "/sealed.dare"),
        client_(Opened({server_.endpoint()})) {
    plain_.resize(kSize);
    for (std::size_t i = 0; i < kSize; ++i) plain_[i] = static_cast<std::byte>(i * 5 + i / 255);
    const std::string clear = path_ + ".clear";
    std::ofstream(clear, std::ios::binary).write(reinterpret_cast<char*>(plain_.data()), kSize);
    const Status status = client_.SealFile("", clear, path_, true);
    EXPECT_TRUE(status) << status.message;
  }
  void Flip(std::streamoff offset) {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(offset);
    const int byte = file.get();
    file.seekp(offset);
    file.put(static_cast<char>(byte ^ 1));
  }

  WrappingServerForTest server_;
  const std::string path_;
  Client client_;
  std::vector<std::byte> plain_;
};

TEST_F(ReaderTest, ReadsAnywhereFromManyThreads) {
  auto reader = client_.OpenReader(path_);
  ASSERT_TRUE(reader) << reader.status().message;
  client_ = Client();  // it needs no client any more
  EXPECT_EQ(reader->size(), kSize);
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 6; ++t) {
      threads.emplace_back([&, t] {
        std::vector<std::byte> buffer(70'000);
        for (std::size_t i = 0; i < 100; ++i) {
          const std::size_t offset = (t * 261'111 + i * 99'991) % (kSize + 1000);
          const std::size_t there = offset < kSize ? std::min(buffer.size(), kSize - offset) : 0;
          const auto got = reader->ReadAt(offset, buffer);
          const bool right =
              got && *got == there &&
              std::equal(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(there),
                         plain_.begin() + static_cast<std::ptrdiff_t>(std::min(offset, kSize)));
          wrong += right ? 0 : 1;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(ReaderTest, RefusesADamagedFrameAndReadsTheOthers) {
  Flip(8192 + 210 + 262'176 + 1000);  // in the second frame
  auto reader = client_.OpenReader(path_);
  ASSERT_TRUE(reader) << reader.status().message;
  std::byte buffer[100];
  EXPECT_TRUE(reader->ReadAt(0, buffer));
  const auto got = reader->ReadAt(262'144 + 50'000, buffer);
  EXPECT_EQ(got.status().code, DARE_DAMAGED);
  EXPECT_NE(got.status().message.find("sealed.dare: not a sealed file or damaged"),
            std::string::npos);
}

TEST_F(ReaderTest, RefusesAFileThatIsCutOrNotThereOrDenied) {
  server_.denies = true;
  EXPECT_EQ(client_.OpenReader(path_).status().code, DARE_DENIED);
  server_.denies = false;
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  EXPECT_EQ(client_.OpenReader(path_).status().code, DARE_DAMAGED);
  EXPECT_EQ(client_.OpenReader(path_ + ".nothing").status().code, DARE_FAILED);
  EXPECT_EQ(client_.OpenReader(path_ + ".clear").status().code, DARE_DAMAGED);
}

TEST(Libdare, HandlesAreFreedInAnyOrder) {
  WrappingServerForTest server;
  auto client = std::make_unique<Client>(Opened({server.endpoint()}));
  auto caching = client->WithCache();
  auto below = caching->WithTimeout(milliseconds(5000));
  client.reset();
  EXPECT_TRUE(ValueThereAndBack(*below, "v"));
  caching = Status{DARE_FAILED, "freed"};
  EXPECT_TRUE(ValueThereAndBack(*below, "v"));
}

TEST(Libdare, ManyThreadsShareOneClientWhileAServerDies) {
  auto first = std::make_unique<WrappingServerForTest>();
  WrappingServerForTest second;
  Client client = Opened({first->endpoint(), second.endpoint()});
  Limits limits;
  limits.uses = 7;
  auto caching = client.WithCache(limits);
  ASSERT_TRUE(caching);
  constexpr int kThreads = 8, kRounds = 30;
  std::atomic<int> done{0};
  std::mutex mutex;
  std::vector<std::string> failures;
  const auto expect = [&](const Status& status) {
    ++done;
    if (status) return;
    const std::lock_guard lock(mutex);
    failures.push_back(status.message);
  };
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kRounds; ++i) {
          switch ((t + i) % 4) {
            case 0:
              expect(ValueThereAndBack(*caching, "kept " + std::to_string(i)));
              break;
            case 1:
              expect(ValueThereAndBack(client, "asked " + std::to_string(i)));
              break;
            case 2:
              expect(StreamThereAndBack(client, static_cast<std::size_t>(i) * 10'000));
              break;
            default:
              expect(DataKeyThereAndBack(*caching));
              if (i % 10 == 0) expect(caching->FlushCache());
          }
        }
      });
    }
    while (done < kThreads * kRounds / 4) std::this_thread::yield();
    first.reset();
  }
  EXPECT_TRUE(failures.empty()) << failures.size() << ", for one: " << failures.front();
  EXPECT_GT(second.requests(), 0);
}

TEST(Libdare, RefusesNullAndTellsWhy) {
  EXPECT_EQ(dare_client_new("/nowhere", nullptr), DARE_USAGE);
  EXPECT_NE(std::string(dare_last_error()).find("NULL"), std::string::npos);
  dare_buffer buffer{};
  EXPECT_EQ(dare_seal_value(nullptr, nullptr, nullptr, 0, "", 0, &buffer), DARE_USAGE);
  EXPECT_EQ(dare_client_with_cache(nullptr, nullptr, nullptr), DARE_USAGE);
  dare_client_free(nullptr);
  dare_buffer_free(nullptr);
  dare_buffer_free(&buffer);
  dare_data_key_free(nullptr);
  dare_cancel(nullptr);
}

}  // namespace
}  // namespace dare::lib
