-- The W3C traceparent of the request or job that caused a job: its attempts are in the same trace.
ALTER TABLE jobs ADD COLUMN traceparent text;
