"""Events of the past, from files into the log's bulk lane, each once; and events out of it (`out`).

- lines: a file's bytes, unpacked
- reading: its rows, numbered, from CSV, JSONL or Parquet
- columns: a row's columns as a call
- exports: rows of Segment's and Amplitude's exports as calls
- chunks: what becomes a row of the log
- lane: into the log, no faster than it is folded
"""
