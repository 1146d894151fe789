-- The schema of state.db. Everything here is written by the engine alone, one transaction a tick.

-- What there is one of: epoch, cursors, engine_time, next_subject, chunk, sealed, dropped.
CREATE TABLE IF NOT EXISTS meta (
  name TEXT PRIMARY KEY,
  value ANY
) STRICT, WITHOUT ROWID;

-- Dense and never reused, so that new rows are appended; key and first_seen stay for good.
CREATE TABLE IF NOT EXISTS subjects (
  subject INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  first_seen INTEGER NOT NULL
) STRICT;

-- kind 0: userId, 1: anonymousId, 2: a group's "type:id". `home` is the subject that the id had before merges,
-- where it differs. Without rowid: the lookup by value finds the subject in the same page.
CREATE TABLE IF NOT EXISTS ids (
  kind INTEGER NOT NULL,
  value TEXT NOT NULL,
  subject INTEGER NOT NULL,
  home INTEGER,
  PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ids_of_subject ON ids (subject);

-- What a customer can be found by and several may share (3: e-mail, 4: phone, 5: device), under the subject at home.
CREATE TABLE IF NOT EXISTS addresses (
  kind INTEGER NOT NULL,
  value TEXT NOT NULL,
  subject INTEGER NOT NULL,
  PRIMARY KEY (kind, value, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS addresses_of ON addresses (subject);

-- Who belongs to a group, under the subject at home, and the number of the latest news of it that they have.
CREATE TABLE IF NOT EXISTS members (
  "group" INTEGER NOT NULL,
  subject INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY ("group", subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_groups ON members (subject);

-- News of a group that not all of its members have been told: they are told in many ticks.
CREATE TABLE IF NOT EXISTS tellings (
  number INTEGER PRIMARY KEY,
  "group" INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  news BLOB NOT NULL,
  told INTEGER NOT NULL
) STRICT;

-- `due` is the armed moment: at or before the record's own, never moved when that moves later. It stands
-- in the record's row, so that a changed record dirties one page and not two.
CREATE TABLE IF NOT EXISTS records (
  subject INTEGER PRIMARY KEY,
  due INTEGER,
  record BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS records_due ON records (due) WHERE due IS NOT NULL;

-- Every merge, and every undo of one (`undoes`), numbered together: a file of the history follows the first n.
-- `moved` lists the ids that the younger brought (JSON), for people.
CREATE TABLE IF NOT EXISTS merges (
  number INTEGER PRIMARY KEY,
  younger INTEGER NOT NULL,
  older INTEGER NOT NULL,
  at INTEGER NOT NULL,
  cause TEXT NOT NULL,
  moved TEXT NOT NULL,
  undoes INTEGER NOT NULL,
  said_by TEXT NOT NULL,
  in_force INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS merges_of ON merges (younger) WHERE in_force = 1;
CREATE INDEX IF NOT EXISTS merges_from ON merges (younger);
CREATE INDEX IF NOT EXISTS merges_into ON merges (older);
CREATE INDEX IF NOT EXISTS merges_undos ON merges (undoes) WHERE undoes > 0;

CREATE TABLE IF NOT EXISTS outbox (
  number INTEGER PRIMARY KEY,
  message TEXT NOT NULL UNIQUE,
  subject INTEGER NOT NULL,
  campaign TEXT NOT NULL,
  run TEXT NOT NULL,
  template TEXT NOT NULL,
  channel TEXT NOT NULL,
  state TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  content BLOB NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due_at) WHERE state = 'wanted';
CREATE INDEX IF NOT EXISTS outbox_sending ON outbox (number) WHERE state = 'sending';
CREATE INDEX IF NOT EXISTS outbox_subject ON outbox (subject);
CREATE INDEX IF NOT EXISTS outbox_tasks ON outbox (number) WHERE channel = 'task' AND state = 'sent';

-- To whom which message of a campaign went lately: one address gets one copy. The address is a hash under the
-- key in meta ("erase_key"); rows of more than a day are dropped.
CREATE TABLE IF NOT EXISTS copies (
  print BLOB PRIMARY KEY,
  message TEXT NOT NULL,
  subject INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS copies_at ON copies (at);

-- One chunk of folded events and facts a tick (Arrow IPC), dropped once it is sealed into the history.
CREATE TABLE IF NOT EXISTS recent (
  number INTEGER PRIMARY KEY,
  events INTEGER NOT NULL,
  folded_at INTEGER NOT NULL,
  subjects BLOB NOT NULL,
  chunk BLOB NOT NULL
) STRICT;

-- The fingerprints a tick added, 16 bytes each; the bucket is the instant at which they may be forgotten.
CREATE TABLE IF NOT EXISTS seen (
  number INTEGER PRIMARY KEY,
  bucket INTEGER NOT NULL,
  fingerprints BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS seen_bucket ON seen (bucket);

CREATE TABLE IF NOT EXISTS documents (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  body BLOB NOT NULL,
  author TEXT NOT NULL,
  note TEXT NOT NULL,
  applied_at INTEGER NOT NULL,
  PRIMARY KEY (kind, name, version)
) STRICT, WITHOUT ROWID;

-- What somebody wrote, with its comments. It may change while the version, which is what it means, does not.
CREATE TABLE IF NOT EXISTS texts (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (kind, name, version)
) STRICT, WITHOUT ROWID;

-- What could not be folded, and why: the engine goes on, people can look.
CREATE TABLE IF NOT EXISTS problems (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  row INTEGER NOT NULL,
  member INTEGER NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
