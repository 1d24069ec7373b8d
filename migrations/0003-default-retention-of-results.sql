-- A service that does not know the column yet inserts beside one that does: its results, too, have an end to go back to
-- when a pin is taken away. The usual one, since a default can not be that of the row.
ALTER TABLE results ALTER COLUMN retained_until SET DEFAULT now() + interval '7 days';
