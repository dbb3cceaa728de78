#include "audit/syslog_witness.h"

#include <boost/json.hpp>
#include <utility>

#include "audit/syslog_place.h"

namespace dare::audit {
namespace {

constexpr int kAuditNotice = 13 * 8 + 5;

// JSON with every byte in ASCII: the em dash of a checkpoint is the one character that is not.
std::string AsciiJson(const std::string& checkpoint) {
  constexpr std::string_view kDash = "\xE2\x80\x94";
  std::string text = boost::json::serialize(boost::json::object{{"checkpoint", checkpoint}});
  for (std::size_t at = text.find(kDash); at != std::string::npos; at = text.find(kDash, at)) {
    text.replace(at, kDash.size(), "\\u2014");
  }
  return text;
}

class SyslogWitness : public Witness {
 public:
  SyslogWitness(std::string name, std::unique_ptr<SyslogPlace> place)
      : name_(std::move(name)), place_(std::move(place)) {}
  std::string name() const override { return name_; }
  Result<std::optional<SignedCheckpoint>> Newest() override {
    return std::optional<SignedCheckpoint>();
  }
  // On a connection of its own: the next one is a minute away.
  Result<void> Record(const std::string& text) override {
    const std::string message = TRY(SyslogMessage(text));
    const Result<void> sent = place_->Send(message);
    place_->Close();
    return sent;
  }

 private:
  const std::string name_;
  const std::unique_ptr<SyslogPlace> place_;
};

}  // namespace

Result<std::string> SyslogMessage(const std::string& checkpoint) {
  const SignedCheckpoint parsed = TRY(ParseCheckpoint(checkpoint));
  const std::string& origin = parsed.checkpoint.origin;
  const std::string node = origin.substr(origin.find('/') + 1);
  return "<" + std::to_string(kAuditNotice) + ">1 " +
         std::string(TimeText(parsed.checkpoint.time)) + " " + node + " dare-kms - checkpoint - " +
         AsciiJson(checkpoint);
}

Result<std::unique_ptr<Witness>> MakeSyslogWitness(std::string_view place) {
  const std::string name = "syslog:" + std::string(place);
  auto made = SyslogPlace::Make(place);
  if (!made) {
    return Error(Code::kInvalidArgument,
                 "'" + name +
                     "' is no witness: syslog:unix:/PATH, syslog:udp:HOST:PORT and "
                     "syslog:tcp:HOST:PORT are");
  }
  return std::unique_ptr<Witness>(std::make_unique<SyslogWitness>(name, *std::move(made)));
}

}  // namespace dare::audit
