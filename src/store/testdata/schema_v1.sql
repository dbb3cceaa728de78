-- schema 1; a difference here needs a new migration, not an edit
CREATE TABLE objects (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  row_version INTEGER NOT NULL,
  object_type INTEGER NOT NULL,
  state INTEGER NOT NULL,
  owner TEXT NOT NULL,
  created INTEGER NOT NULL,
  index_entries BLOB NOT NULL,
  attributes BLOB NOT NULL,
  material BLOB NOT NULL
) STRICT;
CREATE INDEX objects_by_owner ON objects (owner, seq, state, object_type, created);
CREATE TABLE index_entries (
  tag INTEGER NOT NULL,
  key BLOB NOT NULL,
  scope BLOB NOT NULL,
  slot INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (tag, key, scope, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
