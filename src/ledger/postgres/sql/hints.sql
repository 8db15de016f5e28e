-- What nodes tell each other. The notice is worth nothing after a crash: its COMMIT does not wait
-- for the disk.

-- name: listen
LISTEN stella;

-- name: notify
SELECT set_config('synchronous_commit', 'off', true), pg_notify('stella', $1);
