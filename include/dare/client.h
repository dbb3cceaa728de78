#pragma once

#include <dare/dare.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

// libdare for C++20: a thin layer over the C interface, so that a program and the library may be
// built by different compilers. Throws nothing. See dare/dare.h for what the calls promise.
namespace dare::lib {

// How a call ended: the code of dare/dare.h and, when it is not DARE_OK, what to tell a person.
struct [[nodiscard]] Status {
  dare_status code = DARE_OK;
  std::string message;
  explicit operator bool() const { return code == DARE_OK; }
};

// Fills the buffer with up to its size and returns how many bytes, 0 at the end, negative to give
// up.
using Read = std::function<std::ptrdiff_t(std::span<std::byte>)>;
// Takes all bytes; false to give up.
using Write = std::function<bool(std::span<const std::byte>)>;

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

  // An empty key means default_key of the configuration.
  Status SealStream(const std::string& key, const Read& read, const Write& write) {
    Streams streams{read, write};
    return StatusOf(dare_seal_stream(client_.get(), KeyOf(key), &CallRead, &CallWrite, &streams));
  }
  Status OpenStream(const Read& read, const Write& write) {
    Streams streams{read, write};
    return StatusOf(dare_open_stream(client_.get(), &CallRead, &CallWrite, &streams));
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
  static std::ptrdiff_t CallRead(void* user, void* buffer, std::size_t size) {
    return static_cast<Streams*>(user)->read({static_cast<std::byte*>(buffer), size});
  }
  static int CallWrite(void* user, const void* bytes, std::size_t size) {
    return static_cast<Streams*>(user)->write({static_cast<const std::byte*>(bytes), size}) ? 0 : 1;
  }

  std::unique_ptr<dare_client, Free> client_;
};

}  // namespace dare::lib
