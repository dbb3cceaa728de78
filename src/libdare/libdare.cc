// The C interface of include/dare/dare.h over the sealed-file format and the KMIP client.
#include <dare/dare.h>
#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <memory>
#include <new>
#include <string>

#include "base/secret_bytes.h"
#include "client/key_directory.h"
#include "client/kms_client.h"
#include "envelope/kms_keyring.h"
#include "envelope/rewrap.h"
#include "envelope/sealed_file.h"

struct dare_client {
  dare::client::Config config;
  std::unique_ptr<dare::client::KmsClient> kms;
};

namespace dare {
namespace {

using envelope::Keyring;

constexpr std::size_t kSecureHeapBytes = 1 << 20;

thread_local std::string g_last_error;

dare_status StatusOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return DARE_USAGE;
    case Code::kDenied:
    case Code::kUnauthenticated:
      return DARE_DENIED;
    case Code::kUnavailable:
    case Code::kTimeout:
      return DARE_UNREACHABLE;
    case Code::kDamaged:
      return DARE_DAMAGED;
    case Code::kMalformed:
    case Code::kTooLarge:
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kUnsupported:
    case Code::kExhausted:
    case Code::kIo:
    case Code::kConflict:
    case Code::kRejected:
    case Code::kInternal:
      return DARE_FAILED;
  }
  return DARE_FAILED;
}

// A key server that closes its connection must not end the program that calls us: SIGPIPE is
// blocked in this thread (and those it starts) for the length of a call, and one that we caused is
// taken back. The program's own handling of the signal stays as it is.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    ::sigemptyset(&sigpipe_);
    ::sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~WithoutSigpipe() {
    constexpr timespec kNow{0, 0};
    if (!was_pending_) {
      while (::sigtimedwait(&sigpipe_, nullptr, &kNow) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t sigpipe_, before_;
  bool was_pending_ = false;
};

// Runs `call`, a Result, at the border to C: nothing is thrown across it.
template <typename Call>
dare_status AtBorder(Call&& call) noexcept {
  const WithoutSigpipe without_sigpipe;
  try {
    const auto result = call();
    if (result) return DARE_OK;
    g_last_error = result.error().message;
    return StatusOf(result.error().code);
  } catch (const std::bad_alloc&) {
    g_last_error.clear();  // a message might not fit either
    return DARE_FAILED;
  } catch (...) {
    g_last_error = "unexpected failure";
    return DARE_FAILED;
  }
}

Result<void> RequireArguments(bool all_there) {
  if (all_there) return {};
  return Error(Code::kInvalidArgument, "an argument that is needed is NULL");
}

Result<std::unique_ptr<dare_client>> NewClient(const char* config_path) {
  TRY(StartSecureHeap(kSecureHeapBytes));
  auto client = std::make_unique<dare_client>();
  client->config = TRY(client::LoadConfig(
      config_path != nullptr ? config_path : std::string(client::kDefaultConfigFile)));
  client->kms = TRY(client::KmsClient::Create(client->config));
  return client;
}

Result<Keyring> SealingKeyring(dare_client& client, const char* key) {
  const std::string name = key != nullptr ? key : client.config.default_key;
  if (name.empty()) {
    return Error(Code::kInvalidArgument,
                 "no key given, and no default_key in " + client.config.path);
  }
  client::KeyDirectory directory(*client.kms);
  std::string id = TRY(directory.Resolve(name));
  return Keyring{std::make_shared<envelope::KmsKeyWrapper>(*client.kms, std::move(id))};
}

Keyring OpeningKeyring(dare_client& client) {
  return {std::make_shared<envelope::KmsKeyWrapper>(*client.kms)};
}

envelope::SealOptions SealOptionsOf(const dare_client& client, int replace) {
  envelope::SealOptions options;
  options.frame_length = client.config.frame_bytes;
  options.flow.workers = client.config.threads;
  options.replace = replace != 0;
  return options;
}

envelope::OpenOptions OpenOptionsOf(const dare_client& client, int replace) {
  envelope::OpenOptions options;
  options.flow.workers = client.config.threads;
  options.replace = replace != 0;
  return options;
}

class CallbackSource final : public envelope::ByteSource {
 public:
  CallbackSource(dare_read read, void* user) : read_(read), user_(user) {}
  Result<std::size_t> Read(MutableBytes buffer) override {
    std::size_t have = 0;
    while (have < buffer.size()) {
      const ptrdiff_t n = read_(user_, buffer.data() + have, buffer.size() - have);
      if (n < 0 || static_cast<std::size_t>(n) > buffer.size() - have) {
        return Error(Code::kIo, "the caller could not read");
      }
      if (n == 0) break;
      have += static_cast<std::size_t>(n);
    }
    return have;
  }

 private:
  const dare_read read_;
  void* const user_;
};

class CallbackSink final : public envelope::ByteSink {
 public:
  CallbackSink(dare_write write, void* user) : write_(write), user_(user) {}
  Result<void> Write(ByteView bytes) override {
    if (bytes.empty() || write_(user_, bytes.data(), bytes.size()) == 0) return {};
    return Error(Code::kIo, "the caller could not write");
  }

 private:
  const dare_write write_;
  void* const user_;
};

}  // namespace
}  // namespace dare

extern "C" {

const char* dare_last_error(void) {
  return dare::g_last_error.empty() ? "out of memory" : dare::g_last_error.c_str();
}

const char* dare_version(void) { return DARE_VERSION; }

dare_status dare_client_new(const char* config_path, dare_client** client) {
  if (client != nullptr) *client = nullptr;
  return dare::AtBorder([&]() -> dare::Result<void> {
    TRY(dare::RequireArguments(client != nullptr));
    *client = TRY(dare::NewClient(config_path)).release();
    return {};
  });
}

void dare_client_free(dare_client* client) {
  const dare::WithoutSigpipe without_sigpipe;  // closing says good-bye to the key servers
  delete client;
}

dare_status dare_seal_stream(dare_client* client, const char* key, dare_read read, dare_write write,
                             void* user) {
  return dare::AtBorder([&]() -> dare::Result<void> {
    TRY(dare::RequireArguments(client != nullptr && read != nullptr && write != nullptr));
    const dare::envelope::Keyring keks = TRY(dare::SealingKeyring(*client, key));
    dare::CallbackSource in(read, user);
    dare::CallbackSink out(write, user);
    TRY(dare::envelope::SealStream(in, out, keks, dare::SealOptionsOf(*client, 0)));
    return {};
  });
}

dare_status dare_open_stream(dare_client* client, dare_read read, dare_write write, void* user) {
  return dare::AtBorder([&]() -> dare::Result<void> {
    TRY(dare::RequireArguments(client != nullptr && read != nullptr && write != nullptr));
    dare::CallbackSource in(read, user);
    dare::CallbackSink out(write, user);
    TRY(dare::envelope::OpenStream(in, out, dare::OpeningKeyring(*client),
                                   dare::OpenOptionsOf(*client, 0)));
    return {};
  });
}

dare_status dare_seal_file(dare_client* client, const char* key, const char* in, const char* out,
                           int replace) {
  return dare::AtBorder([&]() -> dare::Result<void> {
    TRY(dare::RequireArguments(client != nullptr && in != nullptr && out != nullptr));
    const dare::envelope::Keyring keks = TRY(dare::SealingKeyring(*client, key));
    TRY(dare::envelope::SealFile(in, out, keks, dare::SealOptionsOf(*client, replace)));
    return {};
  });
}

dare_status dare_open_file(dare_client* client, const char* in, const char* out, int replace) {
  return dare::AtBorder([&]() -> dare::Result<void> {
    TRY(dare::RequireArguments(client != nullptr && in != nullptr && out != nullptr));
    TRY(dare::envelope::OpenFile(in, out, dare::OpeningKeyring(*client),
                                 dare::OpenOptionsOf(*client, replace)));
    return {};
  });
}

dare_status dare_rewrap_file(dare_client* client, const char* key, const char* file) {
  return dare::AtBorder([&]() -> dare::Result<void> {
    TRY(dare::RequireArguments(client != nullptr && file != nullptr));
    const dare::envelope::Keyring keks = TRY(dare::SealingKeyring(*client, key));
    TRY(dare::envelope::RewrapFile(file, dare::OpeningKeyring(*client), keks));
    return {};
  });
}

}  // extern "C"
