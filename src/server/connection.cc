#include "server/connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "crypto/x509.h"

namespace dare::server {
namespace {

constexpr std::size_t kReadBytes = 16384;  // one TLS record
constexpr std::size_t kLargestSpare = 64u << 10;
constexpr unsigned kBusy = 8;  // messages from look to look

}  // namespace

Connection::Connection(std::uint64_t id_in, FileDescriptor fd, SslPtr ssl, std::string address_in,
                       std::uint16_t port_in)
    : id(id_in),
      address(std::move(address_in)),
      port(port_in),
      fd_(std::move(fd)),
      ssl_(std::move(ssl)) {}

Connection::~Connection() = default;

Step Connection::Broken(Error error) {
  error_ = std::move(error);
  return Step::kBroken;
}

Step Connection::StepOf(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Step::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Step::kEnd;
    case SSL_ERROR_SSL:
      // A peer that just hangs up is nothing to talk about.
      if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        return Step::kEnd;
      }
      return Broken(Error(Code::kMalformed, crypto::TakeOpenSslError()));
    default:
      ERR_clear_error();
      return Broken(Error(Code::kUnavailable, "the connection was lost"));
  }
}

Step Connection::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return Step::kDone;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Step::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::kWantWrite;
    default:
      return Step::kBroken;  // the error queue is left for TlsContext::FailureOf
  }
}

Step Connection::ReadInto(MutableBytes room, std::size_t& got) {
  ERR_clear_error();
  const int n = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
  if (n <= 0) return StepOf(n);
  got = static_cast<std::size_t>(n);
  read_in_this_tick_ = true;
  return Step::kDone;
}

Step Connection::NextMessage(const Framing& framing, MutableBytes scratch, ByteView& message) {
  window_ = window_.subspan(std::exchange(message_bytes_, 0));
  for (;;) {
    std::size_t need = 0;
    if (!window_.empty()) {
      auto size = framing.MessageSize(window_, *caller.peer);
      if (!size) {
        error_ = std::move(size.error());
        return Step::kRefused;
      }
      need = *size;
      if (need != 0 && window_.size() >= need) {
        message = window_.first(need);
        message_bytes_ = need;
        return Step::kDone;
      }
    }
    if (const Step step = Read(scratch, need); step != Step::kDone) return step;
  }
}

// Reads some bytes behind those in the window.
Step Connection::Read(MutableBytes scratch, std::size_t need) {
  std::size_t got = 0;
  if (window_.empty()) {
    // What came is handled; when TLS holds nothing either, epoll will tell of more: no system call.
    if (read_in_this_tick_ && SSL_has_pending(ssl_.get()) == 0) return Step::kWantRead;
    in_ = {};
    WipeScratch(scratch);
    const Step step = ReadInto(scratch.first(std::min(scratch.size(), kReadBytes)), got);
    if (step != Step::kDone) return step;
    window_ = scratch.first(got);
    scratch_used_ = got;
    return Step::kDone;
  }
  KeepInput(scratch);
  read_in_this_tick_ = true;
  const std::size_t have = window_.size();
  const std::size_t missing = need > have ? need - have : kReadBytes;
  // Room for one record, not for what the peer announced: memory follows what really comes.
  in_.resize(have + std::min(missing, kReadBytes));
  const Step step = ReadInto(MutableBytes(in_).subspan(have), got);
  in_.resize(have + got);
  window_ = in_;
  return step;
}

void Connection::WipeScratch(MutableBytes scratch) {
  Wipe(scratch.first(std::exchange(scratch_used_, 0)));
}

void Connection::KeepInput(MutableBytes scratch) {
  window_ = window_.subspan(std::exchange(message_bytes_, 0));
  read_in_this_tick_ = false;
  if (scratch_used_ != 0) {
    if (!window_.empty()) in_.assign(window_.begin(), window_.end());
    WipeScratch(scratch);
  } else if (window_.empty()) {
    if (in_.capacity() != 0) in_ = {};
  } else if (window_.size() != in_.size()) {
    in_.erase(in_.begin(), in_.end() - static_cast<std::ptrdiff_t>(window_.size()));
  }
  window_ = in_;
}

void Connection::Queue(WipingBytes& answer) {
  if (queued() == 0) {
    out_begin_ = 0;
    out_.clear();
    out_.swap(answer);
  } else {
    Append(out_, answer);
    Wipe(answer);
  }
  answer.clear();
}

void Connection::NoteMessage() {
  if (++messages_since_look_ < kBusy || keeps_buffers_) return;
  keeps_buffers_ = true;
  SSL_clear_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
}

void Connection::LookForRest() {
  if (std::exchange(messages_since_look_, 0) >= kBusy || !keeps_buffers_) return;
  keeps_buffers_ = false;
  SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
  // Not in the middle of a record: OpenSSL before 3.0.14 would lose it (CVE-2024-4741). It refuses
  // by itself where anything else is in them; the next read and write give them back then.
  const std::string_view awaited = SSL_rstate_string(ssl_.get());
  if (awaited == "RH") (void)SSL_free_buffers(ssl_.get());
}

bool Connection::has_pending() const { return has_input() || SSL_has_pending(ssl_.get()) == 1; }

Step Connection::WriteQueued() {
  write_blocked_ = false;
  while (queued() != 0) {
    ERR_clear_error();
    const int n = SSL_write(ssl_.get(), out_.data() + out_begin_,
                            static_cast<int>(std::min<std::size_t>(queued(), 1u << 30)));
    if (n <= 0) {
      const Step step = StepOf(n);
      write_blocked_ = step == Step::kWantWrite;
      return step;
    }
    out_begin_ += static_cast<std::size_t>(n);
    active_now = true;
  }
  return Step::kDone;
}

WipingBytes Connection::TakeSpare() {
  out_begin_ = 0;
  WipingBytes spare = std::exchange(out_, {});
  if (spare.capacity() > kLargestSpare) return {};
  Wipe(spare);
  spare.clear();
  return spare;
}

void Connection::ShutOurSide() {
  ERR_clear_error();
  if (phase != Phase::kHandshake && SSL_is_init_finished(ssl_.get()) == 1) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  ::shutdown(fd(), SHUT_WR);
}

Step Connection::Drain(MutableBytes scratch) {
  // Not for as long as the peer likes to send: the loop has others to serve, and epoll tells again.
  constexpr int kReadsAtOnce = 16;
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const ssize_t n = ::recv(fd(), scratch.data(), scratch.size(), 0);
    if (n > 0 || (n < 0 && errno == EINTR)) continue;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? Step::kWantRead : Step::kEnd;
  }
  return Step::kWantRead;
}

}  // namespace dare::server
