#include "server/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace dare::server {

Result<std::shared_ptr<Mailbox>> Mailbox::Make() {
  FileDescriptor event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event) return IoError("cannot make an eventfd", errno);
  return std::shared_ptr<Mailbox>(new Mailbox(std::move(event)));
}

void Mailbox::Post(AcceptedSocket socket) {
  const MutexLock lock(mutex_);
  if (closed_) return;
  mail_.sockets.push_back(std::move(socket));
  WakeOnce();
}

void Mailbox::Post(LateAnswer answer) {
  const MutexLock lock(mutex_);
  if (closed_) return;
  mail_.answers.push_back(std::move(answer));
  WakeOnce();
}

void Mailbox::PostPush(LateAnswer message) {
  const MutexLock lock(mutex_);
  if (closed_) return;
  mail_.pushes.push_back(std::move(message));
  WakeOnce();
}

void Mailbox::PostStop() {
  const MutexLock lock(mutex_);
  mail_.stop = true;
  WakeOnce();
}

Mail Mailbox::Take() {
  const MutexLock lock(mutex_);
  std::uint64_t count = 0;
  // Cannot block; what it read does not matter, only that the descriptor is quiet again.
  [[maybe_unused]] const ssize_t n = ::read(event_.get(), &count, sizeof count);
  woken_ = false;
  return std::exchange(mail_, {});
}

void Mailbox::Close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  mail_ = {};
}

void Mailbox::WakeOnce() {
  if (woken_) return;
  woken_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(event_.get(), &one, sizeof one);
}

void Pusher::Send(WipingBytes message) const {
  mailbox_->PostPush(LateAnswer{connection_, std::move(message), {}});
}

Reply& Reply::operator=(Reply&& other) noexcept {
  std::swap(mailbox_, other.mailbox_);
  std::swap(connection_, other.connection_);
  std::swap(finish_, other.finish_);
  return *this;
}

Reply::~Reply() {
  if (mailbox_ != nullptr) mailbox_->Post(LateAnswer{connection_, std::nullopt, {}});
}

void Reply::Send(WipingBytes answer) {
  if (mailbox_ == nullptr) return;
  std::exchange(mailbox_, nullptr)
      ->Post(LateAnswer{connection_, std::move(answer), std::move(finish_)});
}

}  // namespace dare::server
