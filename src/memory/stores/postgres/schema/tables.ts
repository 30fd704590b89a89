/**
 * Every table with a `user_id` shows only the rows of the user that the transaction names, even to
 * its owner. `users` can also be listed: ids and counts, never a message. Text is compared byte by
 * byte, whatever the database's collation. Times are milliseconds since 1970.
 *
 * - `runs`, `keys` and `bodies` are JSON text, because a text column holds neither NUL nor a lone
 *   surrogate.
 * - A key is looked up by its hash, because an index entry holds at most 2,704 bytes.
 * - `commit_id` is the id of the write, on its first message; `state_commits` holds the ids of the
 *   latest writes without messages. They identify a write that is sent again.
 */
export const TABLES = `
CREATE TABLE agno_chat.meta (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  application text NOT NULL,
  version int NOT NULL);
INSERT INTO agno_chat.meta VALUES (true, 'agno-chat', 0);

CREATE TABLE agno_chat.generations (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  generation bigint NOT NULL,
  forgotten bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO agno_chat.generations VALUES (true, 0, 0);

CREATE TABLE agno_chat.clears (
  scope_hash text COLLATE "C" PRIMARY KEY,
  generation bigint NOT NULL,
  cleared_at bigint NOT NULL,
  commit_id uuid NOT NULL,
  users bigint NOT NULL,
  sessions bigint NOT NULL,
  messages bigint NOT NULL);
CREATE INDEX clears_by_time ON agno_chat.clears (cleared_at);

CREATE TABLE agno_chat.users (
  user_id text COLLATE "C" PRIMARY KEY,
  next_message_id bigint NOT NULL,
  next_session_key bigint NOT NULL,
  sessions bigint NOT NULL,
  messages bigint NOT NULL,
  last_activity bigint NOT NULL) WITH (fillfactor = 80);

CREATE TABLE agno_chat.sessions (
  user_id text COLLATE "C" NOT NULL,
  session_id text COLLATE "C" NOT NULL,
  session_key bigint NOT NULL,
  born bigint NOT NULL,
  total bigint NOT NULL,
  messages bigint NOT NULL,
  runs bigint NOT NULL,
  bytes bigint NOT NULL,
  last_activity bigint NOT NULL,
  latest_run text COLLATE "C",
  state_commits uuid[] NOT NULL,
  PRIMARY KEY (user_id, session_id)) WITH (fillfactor = 80);

CREATE TABLE agno_chat.messages (
  user_id text COLLATE "C" NOT NULL,
  session_key bigint NOT NULL,
  message_id bigint NOT NULL,
  created_at bigint NOT NULL,
  bytes bigint NOT NULL,
  characters bigint NOT NULL,
  commit_id uuid,
  role text COLLATE "C" NOT NULL,
  run text COLLATE "C" NOT NULL,
  body text COLLATE "C" NOT NULL,
  PRIMARY KEY (user_id, session_key, message_id));
CREATE INDEX system_messages ON agno_chat.messages (user_id, session_key, message_id)
  WHERE role = 'system';

CREATE TABLE agno_chat.states (
  user_id text COLLATE "C" NOT NULL,
  session_key bigint NOT NULL,
  key_hash bytea NOT NULL,
  key text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  PRIMARY KEY (user_id, session_key, key_hash));

${["users", "sessions", "messages", "states"]
  .map(
    (table) => `
ALTER TABLE agno_chat.${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON agno_chat.${table}
  USING (user_id = current_setting('agno_chat.user_id', true));`,
  )
  .join("")}
CREATE POLICY list ON agno_chat.users FOR SELECT
  USING (current_setting('agno_chat.list', true) = 'users');
`;
