#include "store/sql_query.h"

namespace dare::store {
namespace {

class Builder {
 public:
  explicit Builder(std::string start) : query_{std::move(start), {}} {}

  // " AND column op $n", or " WHERE …" the first time.
  void Where(std::string_view condition, SqlValue value) {
    query_.values.push_back(value);
    query_.text += std::exchange(first_, false) ? " WHERE " : " AND ";
    query_.text += condition;
    query_.text += " $" + std::to_string(query_.values.size());
  }
  void Add(std::string_view text) { query_.text += text; }
  void Limit(std::size_t most) {
    query_.values.push_back(static_cast<std::int64_t>(most));
    query_.text += " LIMIT $" + std::to_string(query_.values.size());
  }
  SqlQuery Take() { return std::move(query_); }

 private:
  SqlQuery query_;
  bool first_ = true;
};

std::string SelectList(SqlColumns columns) {
  switch (columns) {
    case SqlColumns::kIds:
      return "SELECT o.seq, o.id, o.index_entries";
    case SqlColumns::kRecords:
      return "SELECT o.seq, " + std::string(kRecordColumns);
    case SqlColumns::kCount:
      break;
  }
  return "SELECT count(*)";
}

void AddObjectConditions(const Query& query, Builder& builder) {
  if (query.owner) builder.Where("o.owner =", std::string_view(*query.owner));
  if (query.object_type) builder.Where("o.object_type =", std::int64_t{*query.object_type});
  if (query.state) builder.Where("o.state =", std::int64_t{*query.state});
  if (query.state_to) builder.Where("o.state <=", std::int64_t{*query.state_to});
  if (query.created_from) builder.Where("o.created >=", *query.created_from);
  if (query.created_to) builder.Where("o.created <=", *query.created_to);
}

}  // namespace

SqlQuery BuildFind(const Query& query, SqlColumns columns, std::optional<std::size_t> most) {
  const bool counts = columns == SqlColumns::kCount;
  const auto after = static_cast<std::int64_t>(query.after);
  std::string start = SelectList(columns);
  if (query.entries.empty()) {
    Builder builder(start + " FROM objects o");
    AddObjectConditions(query, builder);
    if (!counts && after != 0) builder.Where("o.seq <", after);
    if (!counts) builder.Add(" ORDER BY o.seq DESC");
    if (most) builder.Limit(*most);
    return builder.Take();
  }
  // CROSS JOIN: the entry first, then its object, whatever a planner may guess without statistics.
  const EntryMatch& match = query.entries.front();
  Builder builder(start + " FROM index_entries e CROSS JOIN objects o");
  builder.Where("e.tag =", std::int64_t{match.tag});
  builder.Where("e.key =", AsBytes(match.key));
  if (match.scope) builder.Where("e.scope =", AsBytes(*match.scope));
  if (!counts && after != 0) {
    builder.Where("e.slot <", after);
    builder.Where("e.seq <", after);
  }
  builder.Add(" AND o.seq = e.seq");
  AddObjectConditions(query, builder);
  // Inside one scope the key already has this order (a tag is unique or not, never both); across
  // scopes they sort.
  if (!counts) builder.Add(match.scope ? " ORDER BY e.slot DESC" : " ORDER BY e.seq DESC");
  if (most) builder.Limit(*most);
  return builder.Take();
}

std::string_view ScanSql() {
  static const std::string kSql = "SELECT o.seq, " + std::string(kRecordColumns) +
                                  " FROM objects o WHERE o.seq > $1 ORDER BY o.seq LIMIT $2";
  return kSql;
}

std::string EndOfPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

}  // namespace dare::store
