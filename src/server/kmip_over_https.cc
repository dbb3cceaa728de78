#include "server/kmip_over_https.h"

#include <limits>
#include <optional>
#include <utility>

#include "base/log.h"
#include "kmip/vocabulary.h"
#include "ttlv/json.h"
#include "ttlv/xml.h"

namespace dare::server {
namespace {

// This thread's loop handled a KMIP request since its last Flush().
thread_local bool flush_is_due = false;

enum class Encoding : std::uint8_t { kTtlv, kXml, kJson };

constexpr std::string_view kTtlvType = "application/octet-stream";
constexpr std::string_view kXmlType = "text/xml";
constexpr std::string_view kJsonType = "application/json";

std::optional<Encoding> EncodingOf(std::string_view content_type) {
  if (HasMediaType(content_type, kTtlvType)) return Encoding::kTtlv;
  if (HasMediaType(content_type, kXmlType)) return Encoding::kXml;
  if (HasMediaType(content_type, kJsonType)) return Encoding::kJson;
  return std::nullopt;
}

std::string_view ContentType(Encoding encoding) {
  switch (encoding) {
    case Encoding::kTtlv:
      return kTtlvType;
    case Encoding::kXml:
      return kXmlType;
    case Encoding::kJson:
      return kJsonType;
  }
  return kTtlvType;
}

Result<WipingBytes> Decode(ByteView body, Encoding encoding, const ttlv::Limits& limits,
                           WipingBytes& begun) {
  return encoding == Encoding::kXml ? ttlv::FromXml(body, kmip::Vocabulary(), limits, &begun)
                                    : ttlv::FromJson(body, kmip::Vocabulary(), limits, &begun);
}

// Our own answer, which has its limits already.
Result<WipingBytes> Encode(ByteView answer, Encoding encoding, ttlv::Limits limits) {
  limits.max_message_bytes = std::numeric_limits<std::size_t>::max();
  limits.max_items = std::numeric_limits<std::size_t>::max();
  limits.max_depth = ttlv::kDeepestNesting;
  limits.draft3_types = true;
  return encoding == Encoding::kXml ? ttlv::ToXml(answer, kmip::Vocabulary(), limits)
                                    : ttlv::ToJson(answer, kmip::Vocabulary(), limits);
}

Handled Ending(HttpConnection connection) {
  return connection == HttpConnection::kClose ? Handled::kAnsweredAndClose : Handled::kAnswered;
}

Handled Plain(int status, std::string_view text, HttpConnection connection, WipingBytes& answer) {
  HttpResponse response;
  response.status = status;
  if (status == 405) response.headers.emplace_back("Allow", "POST");
  WriteHttpResponse(response, AsBytes(text), connection, answer);
  return Ending(connection);
}

// Makes a Response Message in TTLV an HTTP response.
Handled FinishAnswer(WipingBytes& answer, Encoding encoding, const ttlv::Limits& limits,
                     HttpConnection connection) {
  const WipingBytes message = std::exchange(answer, {});
  HttpResponse response;
  response.content_type = ContentType(encoding);
  response.headers.emplace_back("Cache-Control", "no-cache");
  if (encoding == Encoding::kTtlv) {
    WriteHttpResponse(response, message, connection, answer);
    return Ending(connection);
  }
  const Result<WipingBytes> text = Encode(message, encoding, limits);
  if (!text) {
    // The request was served, and its answer is lawful KMIP that XML has no characters for.
    log::Failure("a KMIP answer cannot be encoded: " + text.error().message);
    return Plain(500, "the answer cannot be written in this encoding\n", connection, answer);
  }
  WriteHttpResponse(response, *text, connection, answer);
  return Ending(connection);
}

}  // namespace

std::size_t KmipOverHttps::LargestBody(const ttlv::Limits& limits) {
  // An item takes 16 bytes of TTLV and, with a long name, some 100 of JSON; bytes take two digits.
  return 6 * limits.max_message_bytes;
}

Handled KmipOverHttps::Serve(const HttpRequest& request, const Caller& caller, const ReplyTo& later,
                             WipingBytes& answer) {
  const HttpConnection connection = request.connection;
  if (caller.peer == nullptr || !caller.peer->authenticated()) {
    return Plain(403, "KMIP needs a client certificate\n", connection, answer);
  }
  if (request.method != "POST") return Plain(405, "method not allowed\n", connection, answer);
  const auto encoding = EncodingOf(request.content_type);
  if (!encoding) {
    return Plain(415, "the body must be application/octet-stream, text/xml or application/json\n",
                 connection, answer);
  }
  const Finish finish = [encoding = *encoding, limits = limits_, connection](WipingBytes& message) {
    return FinishAnswer(message, encoding, limits, connection);
  };
  const ReplyTo finished_later = later.Through(finish);
  const ByteView body = AsBytes(request.body);
  WipingBytes begun;
  flush_is_due = true;
  Handled handled;
  if (*encoding == Encoding::kTtlv) {
    handled = kmip_.Handle(body, caller, finished_later, answer);
  } else if (const Result<WipingBytes> message = Decode(body, *encoding, limits_, begun)) {
    handled = kmip_.Handle(*message, caller, finished_later, answer);
  } else {
    handled = kmip_.HandleUnreadable(message.error(), begun, caller, answer);
  }
  switch (handled) {
    case Handled::kAnswered:
      return finish(answer);
    case Handled::kAnsweredAndClose:
      (void)finish(answer);
      return Handled::kAnsweredAndClose;
    case Handled::kLater:
    case Handled::kTaken:  // no server asks anything over HTTPS
    case Handled::kRefused:
      break;
  }
  return handled;
}

Result<void> KmipOverHttps::Flush() {
  if (!std::exchange(flush_is_due, false)) return {};
  return kmip_.Flush();
}

}  // namespace dare::server
