-- Addresses that must not be written to, by a hash under the key in meta ("erase_key"). `address` itself is for people
-- to read and goes with an erasure; the hash stays, so that whoever left does not come back with the next import.
-- kind 3: e-mail, 4: phone; topic "": of everything.
CREATE TABLE IF NOT EXISTS suppressed (
  print BLOB NOT NULL,
  why TEXT NOT NULL,
  topic TEXT NOT NULL,
  kind INTEGER NOT NULL,
  address TEXT,
  since INTEGER NOT NULL,
  source TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (print, why, topic)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS suppressed_since ON suppressed (since);
