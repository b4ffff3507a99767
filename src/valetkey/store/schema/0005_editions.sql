-- One row, once a client that was there has been changed or removed, and it moves with each that follows: whoever keeps
-- clients in memory reads it with every look-up.
CREATE TABLE editions(
  id INTEGER PRIMARY KEY,
  clients INTEGER NOT NULL
);
