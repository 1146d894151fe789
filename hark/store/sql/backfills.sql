
-- What new definitions ask of the past and was not yet given to everybody: one row, gone when all have it.
CREATE TABLE IF NOT EXISTS owed (one INTEGER PRIMARY KEY CHECK (one = 1), body BLOB NOT NULL) STRICT;
-- The same of groups' past.
CREATE TABLE IF NOT EXISTS owed_to_groups (one INTEGER PRIMARY KEY CHECK (one = 1), body BLOB NOT NULL) STRICT;
-- The customers and groups who have it already, and by which debt.
CREATE TABLE IF NOT EXISTS filled (subject INTEGER PRIMARY KEY, debt INTEGER NOT NULL) STRICT;
