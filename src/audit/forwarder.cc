#include "audit/forwarder.h"

#include <charconv>
#include <utility>

#include "audit/line.h"
#include "audit/log_page.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/digest.h"

namespace dare::audit {
namespace {

constexpr int kFacility = 13;  // log audit
constexpr int kWarning = 4, kNotice = 5, kInformational = 6;
constexpr std::uint64_t kBetweenSaves = 1000;
constexpr std::size_t kMostPositionBytes = 64;

std::string Head(int severity, std::int64_t time, std::string_view node, std::string_view id) {
  std::string head = "<" + std::to_string(kFacility * 8 + severity) + ">1 ";
  head.append(TimeText(time)).append(" ").append(node).append(" dare-kms - ");
  return head.append(id).append(" - ");
}

int SeverityOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAllowed:
      return kInformational;
    case Outcome::kDenied:
      return kWarning;
    case Outcome::kFailed:
      return kNotice;
  }
  return kNotice;
}

// One file for each place.
std::string PositionFile(const ForwarderOptions& options) {
  const auto hash = crypto::Sha256(AsBytes(options.place));
  return options.folder + "/forwarded-" + ToHex(ByteView(hash).first(4));
}

}  // namespace

Result<std::string> SyslogEntry(std::string_view line, std::string_view node) {
  const NumberedEntry numbered = TRY(ParseLine(line));
  const Entry& entry = numbered.entry;
  return Head(SeverityOf(entry.outcome), entry.time, node, "audit") + std::string(line);
}

Result<std::unique_ptr<Forwarder>> Forwarder::Start(const ForwarderOptions& options,
                                                    AuditLog& log) {
  auto place = TRY(SyslogPlace::Make(options.place));
  std::unique_ptr<Forwarder> made(new Forwarder(options, log, std::move(place)));
  TRY(made->LoadPosition());
  Forwarder* const self = made.get();
  made->thread_ = std::jthread([self](const std::stop_token& stop) { self->Run(stop); });
  return made;
}

Forwarder::Forwarder(const ForwarderOptions& options, AuditLog& log,
                     std::unique_ptr<SyslogPlace> place)
    : options_(options),
      log_(log),
      position_file_(PositionFile(options)),
      place_(std::move(place)) {}

Forwarder::~Forwarder() {
  if (!thread_.joinable()) return;  // never started
  thread_.request_stop();
  {
    const MutexLock lock(wake_mutex_);
    wake_.NotifyAll();
  }
  thread_.join();
  // A collector that is away does not hold up the end; it is told after the next start.
  const bool failing = status().failure.has_value();
  if (!failing && log_.FlushAndSync()) Note(SendNew({}));
  if (const Result<void> saved = SavePosition(); !saved) {
    log::Warning("how far entries were sent to " + options_.place +
                 " cannot be kept: " + saved.error().message);
  }
}

Result<void> Forwarder::LoadPosition() {
  sent_ = log_.synced();
  if (FileExists(position_file_)) {
    const Bytes bytes = TRY(ReadFile(position_file_, kMostPositionBytes));
    const std::string_view text = AsText(bytes);
    std::uint64_t position = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), position);
    // A log that was begun anew is shorter.
    if (failure == std::errc() && end != text.data() && position <= sent_) sent_ = position;
  }
  const MutexLock lock(mutex_);
  status_.sent = sent_;
  return {};
}

Result<void> Forwarder::SavePosition() {
  TRY(WriteFileDurably(position_file_, AsBytes(std::to_string(sent_) + "\n"), 0600));
  saved_ = sent_;
  return {};
}

void Forwarder::Run(const std::stop_token& stop) {
  bool failing = false;
  while (!stop.stop_requested()) {
    {
      const MutexLock lock(wake_mutex_);
      if (stop.stop_requested()) return;
      wake_.WaitFor(wake_mutex_, failing ? options_.retry : options_.look);
    }
    if (stop.stop_requested()) return;
    const Result<void> sent = SendNew(stop);
    failing = !sent;
    Note(sent);
  }
}

Result<void> Forwarder::SendNew(const std::stop_token& stop) {
  while (sent_ < log_.synced()) {
    const std::uint64_t end = log_.synced();
    if (end - sent_ > options_.most_behind) PassOver(end - options_.most_behind);
    if (untold_ != 0) TRY(TellLost());
    const LogPage page = TRY(
        ReadPage(options_.folder, {.from = sent_ + 1, .up_to = end, .most_lines = kBetweenSaves}));
    // What was pruned before it could be sent.
    const std::uint64_t first = page.next - page.lines.size();
    if (first > sent_ + 1) PassOver(first - 1);
    for (const std::string& line : page.lines) {
      if (stop.stop_requested()) return {};
      TRY(SendLine(line));
    }
    if (page.lines.empty()) break;
    if (sent_ - saved_ >= kBetweenSaves) TRY(SavePosition());
  }
  return {};
}

Result<void> Forwarder::SendLine(const std::string& line) {
  const Result<std::string> message = SyslogEntry(line, options_.node);
  if (!message) return message.error();
  const Result<void> sent = place_->Send(*message);
  if (!sent && sent.error().code != Code::kTooLarge) return sent;
  if (!sent) {
    PassOver(sent_ + 1);
    return {};
  }
  ++sent_;
  const MutexLock lock(mutex_);
  status_.sent = sent_;
  return {};
}

void Forwarder::PassOver(std::uint64_t up_to) {
  const std::uint64_t lost = up_to - sent_;
  if (untold_ == 0) {
    log::Warning("entries of the audit log that were not sent to " + options_.place +
                 " are passed over, from entry " + std::to_string(sent_ + 1));
  }
  untold_ += lost;
  sent_ = up_to;
  const MutexLock lock(mutex_);
  status_.lost += lost;
  status_.sent = sent_;
}

// Which ones shows by the numbers of those that come.
Result<void> Forwarder::TellLost() {
  const std::string text = std::to_string(untold_) + " entries before entry " +
                           std::to_string(sent_ + 1) + " were not sent; they are in the log";
  TRY(place_->Send(Head(kWarning, SystemClock::Get().Now(), options_.node, "audit-lost") +
                   "{\"lost\":" + std::to_string(untold_) + ",\"detail\":\"" + text + "\"}"));
  log::Warning("audit log, to " + options_.place + ": " + text);
  untold_ = 0;
  return {};
}

void Forwarder::Note(const Result<void>& sent) {
  const MutexLock lock(mutex_);
  if (sent) {
    if (status_.failure) log::Info("entries of the audit log go to " + options_.place + " again");
    status_.failure.reset();
    return;
  }
  if (!status_.failure) {
    log::Failure("entries of the audit log do not reach " + options_.place + ": " +
                 sent.error().message);
  }
  status_.failure = sent.error();
}

Forwarder::Status Forwarder::status() const {
  const MutexLock lock(mutex_);
  return status_;
}

}  // namespace dare::audit
