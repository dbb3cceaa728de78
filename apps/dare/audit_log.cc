// A key server's audit log, as the server gives it out: read, followed, taken away.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <thread>
#include <utility>

#include "administration.h"
#include "audit/checkpoint_file.h"
#include "audit/line.h"
#include "audit/log_check.h"
#include "audit/pruning.h"
#include "audit/segment.h"
#include "audit_pages.h"
#include "base/clock.h"
#include "base/file.h"
#include "progress_bar.h"
#include "session.h"
#include "text.h"
#include "time_input.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kBetweenLooks{1000};
constexpr std::chrono::milliseconds kBetweenLooksAtSignal{100};

// Options of all verbs.
struct Options {
  std::string principal, object, operation, decision, request, since, until;
  std::string from, last;
  bool as_json = false;
  bool as_table = false;
  std::string folder;
};

Result<json::object> QuestionOf(const Options& options) {
  json::object question;
  for (const auto& [name, value] :
       {std::pair("principal", &options.principal), std::pair("object", &options.object),
        std::pair("operation", &options.operation), std::pair("decision", &options.decision),
        std::pair("request", &options.request), std::pair("from", &options.from),
        std::pair("last", &options.last)}) {
    if (!value->empty()) question[name] = *value;
  }
  const std::int64_t now = SystemClock::Get().Now();
  for (const auto& [name, value] :
       {std::pair("since", &options.since), std::pair("until", &options.until)}) {
    if (value->empty()) continue;
    const std::int64_t moment = TRY(ParseMoment(*value, now));
    question[name] = TimeText(moment);
  }
  return question;
}

// One line for a person. Strangers wrote parts of it.
std::string RowOf(const audit::NumberedEntry& numbered) {
  const audit::Entry& entry = numbered.entry;
  const auto or_dash = [](const std::string& text) { return text.empty() ? "-" : Printable(text); };
  const char* const outcome = entry.outcome == audit::Outcome::kAllowed  ? "allowed"
                              : entry.outcome == audit::Outcome::kDenied ? "denied "
                                                                         : "failed ";
  std::string row = std::to_string(numbered.sequence) + "  " + TimeText(entry.time) + "  " +
                    outcome + "  " + or_dash(entry.principal) + "  " + or_dash(entry.operation) +
                    "  " + or_dash(entry.object_id) + "  " + or_dash(entry.address) + "  " +
                    or_dash(entry.rule);
  if (!entry.request_id.empty()) row += "  request " + Printable(entry.request_id);
  if (!entry.detail.empty()) row += "  " + Printable(entry.detail);
  return row;
}

class Printer {
 public:
  explicit Printer(const Options& options)
      : table_(options.as_table || (!options.as_json && ::isatty(STDOUT_FILENO) == 1)) {}
  Result<void> Print(const AuditPage& page) const {
    for (const std::string& line : page.lines) {
      if (!table_) {
        std::cout << line << "\n";
        continue;
      }
      const audit::NumberedEntry entry = TRY(audit::ParseLine(line));
      std::cout << RowOf(entry) << "\n";
    }
    std::cout.flush();
    return {};
  }

 private:
  const bool table_;
};

Error Interrupted() { return Error(Code::kUnavailable, "interrupted"); }

Result<void> Log(Session& session, const Options& options) {
  AuditPages pages(session, TRY(QuestionOf(options)));
  const Printer printer(options);
  while (std::cout) {  // a reader that has enough ends it
    if (Session::cancelled().load()) return Interrupted();
    const AuditPage page = TRY(pages.Next());
    TRY(printer.Print(page));
    if (page.next > page.size) break;
  }
  return {};
}

void WaitForNews() {
  const auto until = std::chrono::steady_clock::now() + kBetweenLooks;
  while (!Session::cancelled().load() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kBetweenLooksAtSignal);
  }
}

// Until it is interrupted. A server that is away for a while is waited for: nothing is missed.
Result<void> Tail(Session& session, const Options& options) {
  Options from_the_end = options;
  if (from_the_end.last.empty() && from_the_end.from.empty()) from_the_end.last = "10";
  AuditPages pages(session, TRY(QuestionOf(from_the_end)));
  const Printer printer(options);
  bool reached = false, away = false;
  while (std::cout && !Session::cancelled().load()) {
    const Result<AuditPage> page = pages.Next();
    if (!page) {
      const Code code = page.error().code;
      if (!reached || (code != Code::kUnavailable && code != Code::kTimeout)) return page.error();
      if (!std::exchange(away, true)) std::cerr << "dare: hint: " << page.error().message << "\n";
      WaitForNews();
      continue;
    }
    reached = true;
    away = false;
    TRY(printer.Print(*page));
    if (page->next > page->size) WaitForNews();
  }
  return {};
}

// A folder that has its name only when it is whole.
class PartialFolder {
 public:
  static Result<PartialFolder> Make(const std::string& folder) {
    if (FileExists(folder)) return Error(Code::kAlreadyExists, folder + " is there already");
    std::string made = folder + ".partial-XXXXXX";
    if (::mkdtemp(made.data()) == nullptr) return IoError("cannot make " + made, errno);
    return PartialFolder(folder, std::move(made));
  }
  PartialFolder(PartialFolder&& other) noexcept
      : folder_(std::move(other.folder_)), path_(std::exchange(other.path_, "")) {}
  PartialFolder& operator=(PartialFolder&&) = delete;
  ~PartialFolder() {
    std::error_code failed;
    if (!path_.empty()) std::filesystem::remove_all(path_, failed);
  }
  const std::string& path() const { return path_; }
  Result<void> Finish() {
    TRY(SyncFolder(path_));
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, folder_.c_str(), RENAME_NOREPLACE) != 0) {
      return IoError("cannot make " + folder_, errno);
    }
    path_.clear();
    return SyncFolder(FolderOf(folder_));
  }

 private:
  PartialFolder(std::string folder, std::string path)
      : folder_(std::move(folder)), path_(std::move(path)) {}
  std::string folder_, path_;
};

class OutputFile {
 public:
  explicit OutputFile(std::string path)
      : path_(std::move(path)), file_(path_, std::ios::binary | std::ios::trunc) {}
  void Add(std::string_view text) { file_ << text; }
  Result<void> Close() {
    file_.close();
    if (!file_) return Error(Code::kIo, "cannot write " + path_);
    const FileDescriptor written(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!written || ::fsync(written.get()) != 0) return IoError("cannot sync " + path_, errno);
    return {};
  }

 private:
  const std::string path_;
  std::ofstream file_;
};

// What was removed before; the file that the log begins with now.
Result<std::uint64_t> ExportPrunings(Session& session, const std::string& folder) {
  const json::object answer = TRY(AskServer(session, "GET", "/audit/prunings"));
  const std::string text = TRY(TextIn(answer, "prunings"));
  if (!text.empty()) {
    TRY(WriteFileDurably(folder + "/" + audit::kPruningFile, AsBytes(text), 0644));
  }
  const audit::TreeState first = TRY(audit::FirstState(folder));
  return first.segment;
}

// All lines that there are now; the last one's number.
Result<std::uint64_t> ExportLines(Session& session, const std::string& folder,
                                  std::uint64_t first_file) {
  AuditPages pages(session, {{"from", "1"}});
  ProgressBar bar("exporting", Unit::kRecords);
  const envelope::Progress show = bar.Callback();
  OutputFile file(folder + "/" + audit::SegmentName(first_file));
  std::uint64_t size = 0, next = 1;
  do {
    if (Session::cancelled().load()) return Interrupted();
    const AuditPage page = TRY(pages.Next());
    if (!page.whole) {
      return Error(Code::kDenied,
                   "an auditor of one domain among several may not take the whole log away");
    }
    if (size == 0) size = page.size;
    std::uint64_t number = page.next - page.lines.size();
    for (const std::string& line : page.lines) {
      if (number++ > size) break;
      file.Add(line);
      file.Add("\n");
    }
    if (page.next <= next && next <= size) {
      return Error(Code::kMalformed, "the server's answers do not get on");
    }
    next = page.next;
    if (show) show(std::min(next - 1, size), size);
  } while (next <= size);
  TRY(file.Close());
  return size;
}

// Those of the lines that were taken.
Result<void> ExportCheckpoints(Session& session, const std::string& folder, std::uint64_t size) {
  OutputFile file(folder + "/" + audit::kCheckpointFile);
  std::uint64_t offset = 0;
  while (true) {
    if (Session::cancelled().load()) return Interrupted();
    const json::object answer =
        TRY(AskServer(session, "POST", "/audit/checkpoints", {{"offset", std::to_string(offset)}}));
    std::string text = TRY(TextIn(answer, "checkpoints"));
    const std::uint64_t next = TRY(NumberIn(answer, "next"));
    if (next <= offset || text.empty()) return file.Close();
    offset = next;
    std::string_view rest = text;
    while (!rest.empty()) {
      std::size_t end = 0;
      for (std::size_t i = 0; i < audit::kCheckpointLines; ++i) {
        const std::size_t newline = rest.find('\n', end);
        if (newline == std::string_view::npos) return Error(Code::kMalformed, "not a checkpoint");
        end = newline + 1;
      }
      const audit::SignedCheckpoint one = TRY(audit::ParseCheckpoint(rest.substr(0, end)));
      if (one.checkpoint.size <= size) file.Add(rest.substr(0, end));
      rest.remove_prefix(end);
    }
  }
}

Result<audit::CheckpointKeys> ExportKeys(Session& session, const std::string& folder) {
  const json::object answer = TRY(AskServer(session, "GET", "/audit/key"));
  const json::value* const files = answer.if_contains("public_keys");
  if (files == nullptr || !files->is_object()) {
    return Error(Code::kMalformed, "the server's answer has no 'public_keys'");
  }
  audit::CheckpointKeys keys;
  for (const auto& file : files->get_object()) {
    const std::string name(file.key());
    // A server may not choose where we write.
    const bool good = name.starts_with("audit") && name.ends_with(".pub") && name.size() < 64 &&
                      name.find('/') == std::string::npos;
    if (!good || !file.value().is_string()) {
      return Error(Code::kMalformed, "the server's answer has a key under a strange name");
    }
    const std::string pem(file.value().get_string());
    TRY(keys.AddPem(pem));
    TRY(WriteFileDurably(folder + "/" + name, AsBytes(pem), 0644));
  }
  return keys;
}

// Nothing has the folder's name that would not pass `dare audit verify`.
Result<void> Export(Session& session, const Options& options) {
  PartialFolder folder = TRY(PartialFolder::Make(options.folder));
  const std::uint64_t first_file = TRY(ExportPrunings(session, folder.path()));
  const std::uint64_t size = TRY(ExportLines(session, folder.path(), first_file));
  TRY(ExportCheckpoints(session, folder.path(), size));
  audit::LogCheckOptions check;
  check.path = folder.path();
  check.keys = TRY(ExportKeys(session, folder.path()));
  const audit::LogReport report = TRY(audit::CheckLog(check));
  if (!report.problem.empty()) {
    const std::string where =
        report.first_bad == 0 ? "" : "entry " + std::to_string(report.first_bad) + ": ";
    return Error(Code::kDamaged, where + report.problem);
  }
  TRY(folder.Finish());
  if (options.as_json) {
    std::cout << json::object{{"folder", options.folder},
                              {"entries", report.entries},
                              {"covered", report.covered}}
              << "\n";
    return {};
  }
  std::cout << options.folder << ": " << report.entries - report.pruned << " entries, "
            << std::max(report.covered, report.pruned) - report.pruned
            << " of them under signed checkpoints\n";
  std::cerr << "dare: hint: its audit.pub came from the server: verify with a copy of your own\n";
  return {};
}

void AddFilters(CLI::App& verb, const std::shared_ptr<Options>& options) {
  verb.add_option("--principal", options->principal, "Only who has this name");
  verb.add_option("--object", options->object, "Only on this Unique Identifier");
  verb.add_option("--operation", options->operation, "Only this operation, like Get");
  verb.add_option("--decision", options->decision, "Only what was decided so")
      ->check(CLI::IsMember({"allowed", "denied", "failed"}));
  verb.add_option("--request", options->request, "Only with this correlation value");
  verb.add_option("--since", options->since, "From this time on: 2027-01-31T12:00:00Z, 36h (ago)");
  verb.add_option("--until", options->until, "Before this time");
  verb.add_option("--from", options->from, "From the entry with this number on")
      ->check(CLI::PositiveNumber);
  verb.add_option("-n,--last", options->last, "Of this many last entries those that fit")
      ->check(CLI::PositiveNumber)
      ->excludes("--from");
  verb.add_flag("--table", options->as_table, "Columns, as on a terminal")->excludes("--json");
}

}  // namespace

void AddAuditLog(CLI::App& audit, Session& session) {
  const auto options = std::make_shared<Options>();
  AddFilters(*AddVerb(audit, session, options, "log", "Print a key server's audit log", &Log),
             options);
  AddFilters(*AddVerb(audit, session, options, "tail", "Print it as it grows", &Tail), options);
  CLI::App* const take =
      AddVerb(audit, session, options, "export", "Take it away, to be verified elsewhere", &Export);
  take->add_option("FOLDER", options->folder, "A new folder")->required();
}

}  // namespace dare::cli
