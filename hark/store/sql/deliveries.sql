-- What became of each campaign's messages under its newest version: by this a campaign pauses itself.
CREATE TABLE IF NOT EXISTS deliveries (
  campaign TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  bounced INTEGER NOT NULL,
  complained INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
