#include "store/postgres_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "base/check.h"

namespace dare::store::postgres {
namespace {

// Types of PostgreSQL's catalogue, which are part of its protocol.
constexpr std::uint32_t kByteaOid = 17;
constexpr std::uint32_t kInt8Oid = 20;

void AppendU32(Bytes& out, std::uint32_t value) {
  std::uint8_t encoded[4];
  PutU32(encoded, value);
  Append(out, encoded);
}

Bytes BigEndian(std::int64_t value) {
  Bytes encoded(8);
  PutU64(encoded.data(), static_cast<std::uint64_t>(value));
  return encoded;
}

// One dimension that begins at 1, no NULL in it.
Bytes ArrayHead(std::uint32_t type, std::size_t count) {
  Bytes array;
  AppendU32(array, count == 0 ? 0 : 1);
  AppendU32(array, 0);
  AppendU32(array, type);
  if (count == 0) return array;
  AppendU32(array, static_cast<std::uint32_t>(count));
  AppendU32(array, 1);
  return array;
}

std::string OneLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

Code CodeOf(std::string_view state) {
  if (IsSerializationFailure(state)) return Code::kConflict;
  if (state == "23505") return Code::kConflict;  // of a key that was free when it was looked at
  if (state == "57014") return Code::kTimeout;
  if (state == "25006") return Code::kConflict;  // the primary became a standby: begin again
  const std::string_view kind = state.substr(0, 2);
  if (kind == "53" || state == "54000") return Code::kExhausted;
  if (kind == "58") return Code::kIo;
  if (kind == "XX") return Code::kDamaged;
  if (kind == "57" || kind == "08") return Code::kUnavailable;
  if (kind == "28" || state == "42501") return Code::kDenied;
  return Code::kInternal;
}

// After these the connection is good for nothing that writes.
bool EndsConnection(std::string_view state) {
  return state.starts_with("57P") || state.starts_with("08") || state == "25006";
}

}  // namespace

bool IsSerializationFailure(std::string_view state) {
  return state == "40001" || state == "40P01" || state == "55P03";
}

Parameters& Parameters::Add(std::int64_t value) {
  values_.push_back(BigEndian(value));
  return *this;
}

Parameters& Parameters::Add(ByteView bytes) {
  values_.push_back(ToBytes(bytes));
  return *this;
}

Parameters& Parameters::Add(const std::vector<std::int64_t>& values) {
  Bytes array = ArrayHead(kInt8Oid, values.size());
  for (const std::int64_t value : values) {
    AppendU32(array, 8);
    Append(array, BigEndian(value));
  }
  values_.push_back(std::move(array));
  return *this;
}

Parameters& Parameters::Add(const std::vector<Bytes>& values) {
  Bytes array = ArrayHead(kByteaOid, values.size());
  for (const Bytes& value : values) {
    AppendU32(array, static_cast<std::uint32_t>(value.size()));
    Append(array, value);
  }
  values_.push_back(std::move(array));
  return *this;
}

void Answer::Clear(pg_result* result) { PQclear(result); }

Result<void> Answer::Check() const {
  const ExecStatusType status = PQresultStatus(result_.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
    if (!expected_ || Counted() == *expected_) return {};
    return Error(Code::kConflict, "database: another change came first");
  }
  if (status == PGRES_PIPELINE_ABORTED) {
    return Error(Code::kConflict, "database: not done, a statement before it failed");
  }
  const char* text = PQresultErrorField(result_.get(), PG_DIAG_MESSAGE_PRIMARY);
  return Error(CodeOf(sql_state()),
               "database: " + OneLine(text == nullptr ? "unknown failure" : text) + " (" +
                   std::string(sql_state()) + ")");
}

std::int64_t Answer::changed() const {
  const std::string_view text = PQcmdTuples(result_.get());
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

std::int64_t Answer::Counted() const {
  if (rows() != 1) return changed();
  std::int64_t sum = 0;
  for (int column = 0; column < PQnfields(result_.get()); ++column) sum += Integer(0, column);
  return sum;
}

std::string_view Answer::command() const { return PQcmdStatus(result_.get()); }

std::string_view Answer::sql_state() const {
  const char* state = PQresultErrorField(result_.get(), PG_DIAG_SQLSTATE);
  return state == nullptr ? std::string_view() : state;
}

int Answer::rows() const { return PQntuples(result_.get()); }

ByteView Answer::BorrowBytes(int row, int column) const {
  return {reinterpret_cast<const std::uint8_t*>(PQgetvalue(result_.get(), row, column)),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Answer::Integer(int row, int column) const {
  const ByteView bytes = BorrowBytes(row, column);
  return bytes.size() == 8 ? static_cast<std::int64_t>(GetU64(bytes.data())) : 0;
}

std::string Answer::Text(int row, int column) const {
  return std::string(AsText(BorrowBytes(row, column)));
}

Result<std::unique_ptr<Connection>> Connection::Open(const Settings& settings) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : settings.words()) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  SecretBytes password;
  if (settings.password()) {
    const SecretBytes read = TRY(settings.password()());
    password = TRY(SecretBytes::OfSize(read.size() + 1));  // libpq wants a zero behind it
    std::ranges::copy(read.Reveal(), password.RevealMutable().begin());
    keywords.push_back("password");
    values.push_back(reinterpret_cast<const char*>(password.Reveal().data()));
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  pg_conn* raw = PQconnectdbParams(keywords.data(), values.data(), 0);
  if (raw == nullptr) return Error(Code::kExhausted, "database: out of memory");
  std::unique_ptr<Connection> connection(new Connection(raw));
  if (PQstatus(raw) != CONNECTION_OK) {
    return Error(Code::kUnavailable, "cannot connect to the database at " + settings.Target() +
                                         ": " + OneLine(PQerrorMessage(raw)));
  }
  TRY(connection->Configure());
  return connection;
}

Result<void> Connection::Configure() {
  // Notices of "already exists, skipping" are for nobody.
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1) {
    return Break("cannot begin a pipeline");
  }
  // A commit that a power failure takes back was none; what is stricter stays as it is.
  const Answer durability = TRY(Ask("SELECT current_setting('synchronous_commit')"));
  const std::string level = durability.rows() == 1 ? durability.Text(0, 0) : "on";
  if (level == "off" || level == "local") TRY(Ask("SET synchronous_commit = on"));
  TRY(Ask("SET default_transaction_isolation = 'read committed'"));
  TRY(Ask("SET statement_timeout = " + std::to_string(kStatementTimeout.count())));
  return {};
}

Connection::~Connection() { PQfinish(connection_); }

Error Connection::Break(const std::string& what) {
  const std::string said = OneLine(PQerrorMessage(connection_));
  broken_ = true;
  return Error(Code::kUnavailable, "database: " + what + (said.empty() ? "" : ": " + said));
}

const std::string& Connection::Prepared(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    found = statements_
                .try_emplace(std::string(sql), Statement{"s" + std::to_string(statements_.size())})
                .first;
  }
  Statement& statement = found->second;
  const bool under_way = std::ranges::any_of(
      awaited_, [&](const Awaited& awaited) { return awaited.prepares == &statement; });
  if (!statement.prepared && !under_way) {
    if (PQsendPrepare(connection_, statement.name.c_str(), found->first.c_str(), 0, nullptr) != 1) {
      broken_ = true;
    }
    awaited_.push_back({&statement, std::nullopt});
  }
  return statement.name;
}

void Connection::Queue(std::string_view sql, const Parameters& parameters,
                       std::optional<std::int64_t> expected) {
  ++queued_;
  if (broken_) return;
  const std::string& name = Prepared(sql);
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  for (const Bytes& value : parameters.values()) {
    // A null pointer would be NULL; empty bytes are a value.
    values.push_back(value.empty() ? "" : reinterpret_cast<const char*>(value.data()));
    lengths.push_back(static_cast<int>(value.size()));
    formats.push_back(1);
  }
  const int sent = PQsendQueryPrepared(connection_, name.c_str(), static_cast<int>(values.size()),
                                       values.data(), lengths.data(), formats.data(), 1);
  if (sent != 1) broken_ = true;
  awaited_.push_back({nullptr, expected});
  // The server begins while we prepare what follows.
  if (!parameters.values().empty()) Push();
}

bool Connection::expects() const {
  return std::ranges::any_of(awaited_,
                             [](const Awaited& awaited) { return awaited.expected.has_value(); });
}

// True when there is more to send than the socket takes now.
bool Connection::Push() {
  const int left = PQflush(connection_);
  if (left < 0) broken_ = true;
  return left == 1;
}

Result<pg_result*> Connection::NextResult(std::chrono::steady_clock::time_point deadline) {
  while (PQisBusy(connection_) != 0) {
    const bool more = Push();
    if (broken_) return Break("the connection is lost");
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Break("no answer in time");
    pollfd waiting{.fd = PQsocket(connection_),
                   .events = static_cast<short>(more ? POLLIN | POLLOUT : POLLIN),
                   .revents = 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()) + 1);
    if (ready < 0 && errno != EINTR) return Break("cannot wait for the connection");
    if (ready > 0 && (waiting.revents & ~POLLOUT) != 0 && PQconsumeInput(connection_) != 1) {
      return Break("the connection is lost");
    }
  }
  return PQgetResult(connection_);
}

Result<std::vector<Answer>> Connection::Settle() {
  const std::size_t expected = std::exchange(queued_, 0);
  const std::deque<Awaited> awaited = std::exchange(awaited_, {});
  if (broken_) return Break("the connection is lost");
  std::vector<Answer> answers;
  if (awaited.empty()) return answers;
  if (PQpipelineSync(connection_) != 1) return Break("the connection is lost");
  const auto deadline = std::chrono::steady_clock::now() + kAnswerTimeout;
  for (const Awaited& next : awaited) {
    pg_result* raw = TRY(NextResult(deadline));
    if (raw == nullptr) return Break("an answer is missing");
    Answer answer(raw, next.expected);
    // Behind each statement's result stands a null.
    if (pg_result* more = TRY(NextResult(deadline)); more != nullptr) {
      PQclear(more);
      return Break("an answer too many");
    }
    NoteEnd(answer);
    if (next.prepares == nullptr) {
      answers.push_back(std::move(answer));
    } else if (answer.Check()) {
      next.prepares->prepared = true;
    }
  }
  const Answer sync(TRY(NextResult(deadline)));
  if (PQstatus(connection_) != CONNECTION_OK) return Break("the connection is lost");
  CHECK(answers.size() == expected);
  return answers;
}

void Connection::NoteEnd(const Answer& answer) {
  if (!answer.Check() && EndsConnection(answer.sql_state())) broken_ = true;
}

Result<Answer> Connection::Ask(std::string_view sql, const Parameters& parameters) {
  Queue(sql, parameters);
  std::vector<Answer> answers = TRY(Settle());
  for (const Answer& answer : answers) TRY(answer.Check());
  return std::move(answers.back());
}

bool Connection::LooksAlive() {
  if (broken_) return false;
  pollfd waiting{.fd = PQsocket(connection_), .events = POLLIN, .revents = 0};
  // Nobody asked, so what comes is a farewell; a rare word about a setting costs a new connection.
  if (::poll(&waiting, 1, 0) != 0) broken_ = true;
  if (PQstatus(connection_) != CONNECTION_OK) broken_ = true;
  return !broken_;
}

}  // namespace dare::store::postgres
