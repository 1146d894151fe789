-- Who was erased: the commands, the numbers that stood for each customer, and hashes of their ids under the
-- key in meta ("erase_key"), which keep what is older than the erasure from bringing them back.
CREATE TABLE IF NOT EXISTS erasures (
  row INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  author TEXT NOT NULL,
  rewritten_at INTEGER,
  gone_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS erased (
  subject INTEGER PRIMARY KEY,
  row INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS erased_ids (
  print BLOB PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
