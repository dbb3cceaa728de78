#pragma once

#include <dare/dare.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// libdare for C++20: a thin layer over the C interface, so that a program and the library may be
// built by different compilers. Throws nothing of its own (memory that runs out does). See
// dare/dare.h for what the calls promise.
namespace dare::lib {

// How a call ended: the code of dare/dare.h and, when it is not DARE_OK, what to tell a person.
struct [[nodiscard]] Status {
  dare_status code = DARE_OK;
  std::string message;
  explicit operator bool() const { return code == DARE_OK; }
};

// A value, or the status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) {}  // NOLINT
  explicit operator bool() const { return static_cast<bool>(status_); }
  const Status& status() const { return status_; }
  // Only when there is one.
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }

 private:
  Status status_;
  T value_{};
};

using ByteSpan = std::span<const std::byte>;

// Text as bytes; its bytes are borrowed.
inline ByteSpan AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Memory of the library, wiped when it dies. Movable.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept : buffer_(std::exchange(other.buffer_, {})) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~Buffer() { dare_buffer_free(&buffer_); }

  ByteSpan bytes() const { return {reinterpret_cast<const std::byte*>(buffer_.data), size()}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(buffer_.data), size()}; }
  std::size_t size() const { return buffer_.size; }
  dare_buffer* out() { return &buffer_; }  // for a call that fills it

 private:
  dare_buffer buffer_{};
};

// What a value is for, as pairs of texts: {{"table", "people"}, {"column", "name"}}, or an array or
// vector of them. Borrows pairs and texts, for one call.
class Context {
 public:
  Context() = default;
  Context(std::initializer_list<dare_pair> pairs)  // NOLINT: implicit by design
      : Context(pairs.begin(), pairs.size()) {}
  template <std::size_t N>
  Context(const dare_pair (&pairs)[N]) : Context(pairs, N) {}  // NOLINT
  Context(const std::vector<dare_pair>& pairs)                 // NOLINT
      : Context(pairs.data(), pairs.size()) {}
  const dare_pair* data() const { return pairs_; }
  std::size_t size() const { return size_; }

 private:
  Context(const dare_pair* pairs, std::size_t size) : pairs_(pairs), size_(size) {}
  const dare_pair* pairs_ = nullptr;
  std::size_t size_ = 0;
};

// A key that a program encrypts with by itself. Movable.
class DataKey {
 public:
  DataKey() = default;
  explicit DataKey(dare_data_key* key) : key_(key) {}

  // To be stored beside the data.
  ByteSpan wrapped() const { return View(&dare_data_key_wrapped); }
  // The key itself. Lives as long as this; where you copy it, you wipe it.
  ByteSpan Reveal() const { return View(&dare_data_key_reveal); }
  const dare_data_key* get() const { return key_.get(); }

 private:
  struct Free {
    void operator()(dare_data_key* key) const { dare_data_key_free(key); }
  };
  ByteSpan View(const void* (*of)(const dare_data_key*, std::size_t*)) const {
    std::size_t size = 0;
    const void* bytes = of(key_.get(), &size);
    return {static_cast<const std::byte*>(bytes), size};
  }
  std::unique_ptr<dare_data_key, Free> key_;
};

// A sealed file, read at any place. Movable; ReadAt() by several threads at once.
class Reader {
 public:
  Reader() = default;
  explicit Reader(dare_reader* reader) : reader_(reader) {}

  std::uint64_t size() const { return dare_reader_size(reader_.get()); }
  // How many bytes from `offset` on; fewer than asked for only at the end.
  Result<std::size_t> ReadAt(std::uint64_t offset, std::span<std::byte> buffer) const {
    std::size_t got = 0;
    const dare_status code =
        dare_reader_pread(reader_.get(), buffer.data(), buffer.size(), offset, &got);
    if (code != DARE_OK) return Status{code, dare_last_error()};
    return got;
  }

 private:
  struct Close {
    void operator()(dare_reader* reader) const { dare_reader_close(reader); }
  };
  std::unique_ptr<dare_reader, Close> reader_;
};

// Fills the buffer with up to its size and returns how many bytes, 0 at the end, negative to give
// up.
using Read = std::function<std::ptrdiff_t(std::span<std::byte>)>;
// Takes all bytes; false to give up.
using Write = std::function<bool(std::span<const std::byte>)>;

// A stream whose input is pushed in pieces. Movable; finish it, or what was written is not all.
class Stream {
 public:
  Stream() = default;
  Status Push(ByteSpan bytes) {
    return StatusOf(dare_stream_push(stream_.get(), bytes.data(), bytes.size()));
  }
  Status Finish() { return StatusOf(dare_stream_finish(stream_.get())); }

 private:
  friend class Client;
  struct Free {
    void operator()(dare_stream* stream) const { dare_stream_free(stream); }
  };
  static Status StatusOf(dare_status code) {
    return {code, code == DARE_OK ? std::string() : std::string(dare_last_error())};
  }
  static int CallWrite(void* user, const void* bytes, std::size_t size) {
    return (*static_cast<Write*>(user))({static_cast<const std::byte*>(bytes), size}) ? 0 : 1;
  }
  std::unique_ptr<Write> write_;  // outlives the stream
  std::unique_ptr<dare_stream, Free> stream_;
};

// What a cache may do; Limits() has sensible values in it.
struct Limits : dare_cache_limits {
  Limits() : dare_cache_limits(DARE_CACHE_LIMITS) {}
};

// A client of the key servers. Movable; one may be used by several threads at once.
class Client {
 public:
  Client() = default;  // open it before use

  // An empty path means /etc/dare/client.toml.
  Status Open(const std::string& config_path = {}) {
    dare_client* client = nullptr;
    const dare_status code =
        dare_client_new(config_path.empty() ? nullptr : config_path.c_str(), &client);
    client_.reset(client);
    return StatusOf(code);
  }

  // Handles with the same connections: with a time limit for each call, with a cache.
  Result<Client> WithTimeout(std::chrono::milliseconds timeout) const {
    dare_client* client = nullptr;
    return ClientOf(dare_client_with_timeout(client_.get(),
                                             static_cast<std::uint32_t>(timeout.count()), &client),
                    client);
  }
  Result<Client> WithCache(const Limits& limits = {}) const {
    dare_client* client = nullptr;
    return ClientOf(dare_client_with_cache(client_.get(), &limits, &client), client);
  }
  // From another thread: ends all calls, for good.
  void Cancel() { dare_cancel(client_.get()); }
  Status FlushCache() { return StatusOf(dare_cache_flush(client_.get())); }
  Result<dare_cache_counts> CacheCounts() const {
    dare_cache_counts counts{};
    counts.struct_size = sizeof counts;
    const dare_status code = dare_cache_count(client_.get(), &counts);
    if (code != DARE_OK) return StatusOf(code);
    return counts;
  }

  // An empty key means default_key of the configuration, here and below.
  Status SealStream(const std::string& key, const Read& read, const Write& write) {
    Streams streams{read, write};
    return StatusOf(dare_seal_stream(client_.get(), KeyOf(key), &CallRead, &CallWrite, &streams));
  }
  Status OpenStream(const Read& read, const Write& write) {
    Streams streams{read, write};
    return StatusOf(dare_open_stream(client_.get(), &CallRead, &CallWrite, &streams));
  }
  // `write` is called by a thread of the library until the stream is finished or gone.
  Result<Stream> BeginSeal(const std::string& key, Write write) {
    Stream stream;
    dare_stream* begun = nullptr;
    stream.write_ = std::make_unique<Write>(std::move(write));
    const dare_status code =
        dare_seal_begin(client_.get(), KeyOf(key), &Stream::CallWrite, stream.write_.get(), &begun);
    stream.stream_.reset(begun);
    if (code != DARE_OK) return StatusOf(code);
    return stream;
  }
  Result<Stream> BeginOpen(Write write) {
    Stream stream;
    dare_stream* begun = nullptr;
    stream.write_ = std::make_unique<Write>(std::move(write));
    const dare_status code =
        dare_open_begin(client_.get(), &Stream::CallWrite, stream.write_.get(), &begun);
    stream.stream_.reset(begun);
    if (code != DARE_OK) return StatusOf(code);
    return stream;
  }
  Status SealFile(const std::string& key, const std::string& in, const std::string& out,
                  bool replace = false) {
    return StatusOf(
        dare_seal_file(client_.get(), KeyOf(key), in.c_str(), out.c_str(), replace ? 1 : 0));
  }
  Status OpenFile(const std::string& in, const std::string& out, bool replace = false) {
    return StatusOf(dare_open_file(client_.get(), in.c_str(), out.c_str(), replace ? 1 : 0));
  }
  Status RewrapFile(const std::string& key, const std::string& file) {
    return StatusOf(dare_rewrap_file(client_.get(), KeyOf(key), file.c_str()));
  }
  Result<Reader> OpenReader(const std::string& path) {
    dare_reader* reader = nullptr;
    const dare_status code = dare_reader_open(client_.get(), path.c_str(), &reader);
    if (code != DARE_OK) return StatusOf(code);
    return Reader(reader);
  }

  Result<Buffer> SealValue(const std::string& key, Context context, ByteSpan plain) {
    Buffer sealed;
    const dare_status code =
        dare_seal_value(client_.get(), KeyOf(key), context.data(), context.size(), plain.data(),
                        plain.size(), sealed.out());
    if (code != DARE_OK) return StatusOf(code);
    return sealed;
  }
  Result<Buffer> OpenValue(Context context, ByteSpan sealed) {
    Buffer plain;
    const dare_status code = dare_open_value(client_.get(), context.data(), context.size(),
                                             sealed.data(), sealed.size(), plain.out());
    if (code != DARE_OK) return StatusOf(code);
    return plain;
  }

  Result<DataKey> GenerateDataKey(const std::string& key, Context context) {
    dare_data_key* made = nullptr;
    return DataKeyOf(
        dare_data_key_generate(client_.get(), KeyOf(key), context.data(), context.size(), &made),
        made);
  }
  Result<DataKey> WrapDataKey(const std::string& key, Context context, ByteSpan bytes) {
    dare_data_key* made = nullptr;
    return DataKeyOf(dare_data_key_wrap(client_.get(), KeyOf(key), context.data(), context.size(),
                                        bytes.data(), bytes.size(), &made),
                     made);
  }
  Result<DataKey> UnwrapDataKey(Context context, ByteSpan wrapped) {
    dare_data_key* made = nullptr;
    return DataKeyOf(dare_data_key_unwrap(client_.get(), context.data(), context.size(),
                                          wrapped.data(), wrapped.size(), &made),
                     made);
  }
  Result<DataKey> RewrapDataKey(const std::string& key, Context context, const DataKey& old) {
    dare_data_key* made = nullptr;
    return DataKeyOf(dare_data_key_rewrap(client_.get(), KeyOf(key), context.data(), context.size(),
                                          old.get(), &made),
                     made);
  }

 private:
  struct Streams {
    const Read& read;
    const Write& write;
  };
  struct Free {
    void operator()(dare_client* client) const { dare_client_free(client); }
  };

  static const char* KeyOf(const std::string& key) { return key.empty() ? nullptr : key.c_str(); }
  static Status StatusOf(dare_status code) {
    return {code, code == DARE_OK ? std::string() : std::string(dare_last_error())};
  }
  // What `code` says of the handle that the call made; evaluated after the call.
  static Result<Client> ClientOf(dare_status code, dare_client* const& handle) {
    if (code != DARE_OK) return StatusOf(code);
    Client client;
    client.client_.reset(handle);
    return client;
  }
  static Result<DataKey> DataKeyOf(dare_status code, dare_data_key* const& key) {
    if (code != DARE_OK) return StatusOf(code);
    return DataKey(key);
  }
  static std::ptrdiff_t CallRead(void* user, void* buffer, std::size_t size) {
    return static_cast<Streams*>(user)->read({static_cast<std::byte*>(buffer), size});
  }
  static int CallWrite(void* user, const void* bytes, std::size_t size) {
    return static_cast<Streams*>(user)->write({static_cast<const std::byte*>(bytes), size}) ? 0 : 1;
  }

  std::unique_ptr<dare_client, Free> client_;
};

}  // namespace dare::lib
