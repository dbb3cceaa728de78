#include "kmip/ticket.h"

#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

Result<void> CheckCount(std::size_t count) {
  if (count <= kMostTicketRights) return {};
  return Reject(ResultReason::kInvalidField, "too many rights in one ticket");
}

Result<std::vector<std::string>> ReadTexts(ttlv::Reader& in, Tag structure, Tag member) {
  ttlv::Reader members = TRY(in.Structure(structure));
  std::vector<std::string> texts;
  while (!members.AtEnd()) {
    texts.emplace_back(TRY(members.Text(member)));
    TRY(CheckCount(texts.size()));
  }
  return texts;
}

void WriteTexts(ttlv::Writer& out, Tag structure, Tag member,
                const std::vector<std::string>& texts) {
  out.Structure(structure, [&] {
    for (const std::string& text : texts) out.Text(member, text);
  });
}

Result<std::vector<Operation>> ReadOperations(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kOperations));
  std::vector<Operation> operations;
  while (!members.AtEnd()) {
    operations.push_back(TRY(members.Enum<Operation>(Tag::kOperation)));
    TRY(CheckCount(operations.size()));
  }
  return operations;
}

Result<TicketRight> ReadRight(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kRight));
  TicketRight right;
  right.usage_limits = TRY(ReadOperationLimit(members));
  if (members.At(Tag::kOperations)) right.operations = TRY(ReadOperations(members));
  if (members.At(Tag::kObjects)) {
    right.objects = TRY(ReadTexts(members, Tag::kObjects, Tag::kUniqueIdentifier));
  }
  if (members.At(Tag::kObjectGroups)) {
    right.groups = TRY(ReadTexts(members, Tag::kObjectGroups, Tag::kObjectGroup));
  }
  TRY(members.End());
  return right;
}

void WriteRight(ttlv::Writer& out, const TicketRight& right) {
  out.Structure(Tag::kRight, [&] {
    if (right.usage_limits) WriteOperationLimit(out, *right.usage_limits);
    if (right.operations) {
      out.Structure(Tag::kOperations, [&] {
        for (const Operation operation : *right.operations) out.Enum(Tag::kOperation, operation);
      });
    }
    if (right.objects) WriteTexts(out, Tag::kObjects, Tag::kUniqueIdentifier, *right.objects);
    if (right.groups) WriteTexts(out, Tag::kObjectGroups, Tag::kObjectGroup, *right.groups);
  });
}

}  // namespace

Result<Ticket> ReadTicket(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kTicket));
  Ticket ticket;
  ticket.type = TRY(members.Enum<TicketType>(Tag::kTicketType));
  const ByteView value = TRY(members.ByteString(Tag::kTicketValue));
  ticket.value.assign(value.begin(), value.end());
  TRY(members.End());
  return ticket;
}

void WriteTicket(ttlv::Writer& out, const Ticket& ticket) {
  out.Structure(Tag::kTicket, [&] {
    out.Enum(Tag::kTicketType, ticket.type);
    out.ByteString(Tag::kTicketValue, ticket.value);
  });
}

Result<std::optional<OperationLimit>> ReadOperationLimit(ttlv::Reader& in) {
  if (!in.At(Tag::kUsageLimits)) return std::optional<OperationLimit>();
  ttlv::Reader members = TRY(in.Structure(Tag::kUsageLimits));
  OperationLimit limit;
  limit.total = TRY(members.LongInteger(Tag::kUsageLimitsTotal));
  limit.count = TRY(members.OptionalLongInteger(Tag::kUsageLimitsCount)).value_or(limit.total);
  limit.unit = TRY(members.Enum<UsageLimitsUnit>(Tag::kUsageLimitsUnit));
  TRY(members.End());
  return std::optional<OperationLimit>(limit);
}

void WriteOperationLimit(ttlv::Writer& out, const OperationLimit& limit) {
  out.Structure(Tag::kUsageLimits, [&] {
    out.LongInteger(Tag::kUsageLimitsTotal, limit.total);
    out.LongInteger(Tag::kUsageLimitsCount, limit.count);
    out.Enum(Tag::kUsageLimitsUnit, limit.unit);
  });
}

Result<TicketTerms> ReadTicketTerms(ttlv::Reader& in) {
  TicketTerms terms;
  if (in.At(Tag::kLeaseTime) && in.type() == ttlv::Type::kDateTime) {
    terms.good_until = TRY(in.DateTime(Tag::kLeaseTime));
  } else {
    terms.lease = TRY(in.OptionalInterval(Tag::kLeaseTime));
  }
  terms.request_count = TRY(in.OptionalInteger(Tag::kRequestCount));
  terms.usage_limits = TRY(ReadOperationLimit(in));
  return terms;
}

void WriteTicketTerms(ttlv::Writer& out, const TicketTerms& terms) {
  if (terms.good_until) {
    out.DateTime(Tag::kLeaseTime, *terms.good_until);
  } else if (terms.lease) {
    out.Interval(Tag::kLeaseTime, *terms.lease);
  }
  if (terms.request_count) out.Integer(Tag::kRequestCount, *terms.request_count);
  if (terms.usage_limits) WriteOperationLimit(out, *terms.usage_limits);
}

Result<std::vector<TicketRight>> ReadRights(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kRights));
  std::vector<TicketRight> rights;
  while (!members.AtEnd()) {
    rights.push_back(TRY(ReadRight(members)));
    TRY(CheckCount(rights.size()));
  }
  return rights;
}

void WriteRights(ttlv::Writer& out, const std::vector<TicketRight>& rights) {
  out.Structure(Tag::kRights, [&] {
    for (const TicketRight& right : rights) WriteRight(out, right);
  });
}

}  // namespace dare::kmip
