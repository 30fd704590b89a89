import { CHANGES_KEPT } from "../../../state.js";
import { ATTRIBUTES } from "./attributes.js";

/**
 * Takes back runs, and copies sessions.
 *
 * - `state_changes`: what the commits with a message have changed of a session state: the value
 *   before, NULL if there was none. Those up to the message `sessions.undo_after` are not kept.
 */
export const EDITS = `
CREATE TABLE agno_chat.state_changes (
  user_id text COLLATE "C" NOT NULL,
  session_key bigint NOT NULL,
  message_id bigint NOT NULL,
  key_hash bytea NOT NULL,
  key text COLLATE "C" NOT NULL,
  before text COLLATE "C",
  PRIMARY KEY (user_id, session_key, message_id, key_hash));
ALTER TABLE agno_chat.state_changes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON agno_chat.state_changes
  USING (user_id = current_setting('agno_chat.user_id', true));

ALTER TABLE agno_chat.sessions ADD COLUMN undo_after bigint NOT NULL DEFAULT 0;
UPDATE agno_chat.sessions s SET undo_after = coalesce((
  SELECT max(m.message_id) FROM agno_chat.messages m
  WHERE m.user_id = s.user_id AND m.session_key = s.session_key), 0);

-- write_v1 inserts the messages of a commit before it changes the state, and then counts them in
-- next_message_id. So a change without such a message is no commit of a run, nor is a delete.
CREATE FUNCTION agno_chat.note_state_change() RETURNS trigger ${ATTRIBUTES} AS $$
DECLARE
  r agno_chat.states := CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
  first_id bigint;
  oldest bigint;
BEGIN
  SELECT m.message_id INTO first_id FROM agno_chat.users u
    JOIN agno_chat.messages m ON m.user_id = u.user_id AND m.session_key = r.session_key
      AND m.message_id = u.next_message_id
    WHERE u.user_id = r.user_id;
  IF first_id IS NULL THEN RETURN NULL; END IF;
  INSERT INTO agno_chat.state_changes
    VALUES (r.user_id, r.session_key, first_id, r.key_hash, r.key,
      CASE TG_OP WHEN 'INSERT' THEN NULL ELSE r.value END)
    ON CONFLICT (user_id, session_key, message_id, key_hash) DO NOTHING;
  SELECT DISTINCT c.message_id INTO oldest FROM agno_chat.state_changes c
    WHERE c.user_id = r.user_id AND c.session_key = r.session_key
    ORDER BY c.message_id DESC LIMIT 1 OFFSET ${CHANGES_KEPT};
  IF oldest IS NOT NULL THEN
    DELETE FROM agno_chat.state_changes c
      WHERE c.user_id = r.user_id AND c.session_key = r.session_key AND c.message_id <= oldest;
    UPDATE agno_chat.sessions s SET undo_after = oldest
      WHERE s.user_id = r.user_id AND s.session_key = r.session_key;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER note_state_change AFTER INSERT OR UPDATE OR DELETE ON agno_chat.states
  FOR EACH ROW EXECUTE FUNCTION agno_chat.note_state_change();

-- Changes last no longer than their session.
CREATE FUNCTION agno_chat.forget_state_changes() RETURNS trigger ${ATTRIBUTES} AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    TRUNCATE agno_chat.state_changes;
  ELSE
    DELETE FROM agno_chat.state_changes c
      WHERE c.user_id = OLD.user_id AND c.session_key = OLD.session_key;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER forget_state_changes AFTER DELETE ON agno_chat.sessions
  FOR EACH ROW EXECUTE FUNCTION agno_chat.forget_state_changes();
CREATE TRIGGER forget_all_state_changes AFTER TRUNCATE ON agno_chat.sessions
  FOR EACH STATEMENT EXECUTE FUNCTION agno_chat.forget_state_changes();

-- An imported session comes without its changes.
CREATE FUNCTION agno_chat.end_import_v1(p_user text) RETURNS void ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  UPDATE agno_chat.sessions s SET undo_after = u.next_message_id - 1
    FROM agno_chat.users u WHERE u.user_id = p_user AND s.user_id = p_user;
END $$;

-- runs and messages: how many were taken back; NULL if the state from before them is not known.
CREATE FUNCTION agno_chat.undo_v1(
  p_user text, p_session text, p_runs bigint, p_scope text, p_time bigint, p_commit uuid,
  OUT runs bigint, OUT messages bigint) ${ATTRIBUTES} AS $$
DECLARE
  u agno_chat.users;
  s agno_chat.sessions;
  turn record;
  run_of_turn text;
  run_before text;
  first_id bigint;
  after_id bigint;
  gone_bytes bigint;
  gone_runs bigint;
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  SELECT * INTO u FROM agno_chat.users x WHERE x.user_id = p_user FOR UPDATE;

  -- An earlier attempt of this call has already taken them back.
  SELECT c.sessions, c.messages INTO runs, messages FROM agno_chat.clears c
    WHERE c.scope_hash = p_scope AND c.commit_id = p_commit;
  IF FOUND THEN RETURN; END IF;

  runs := 0;
  messages := 0;
  SELECT * INTO s FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = p_session;
  FOR turn IN
    SELECT m.message_id, m.run FROM agno_chat.messages m
    WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.role <> 'system'
    ORDER BY m.message_id DESC
  LOOP
    IF turn.run IS DISTINCT FROM run_of_turn THEN
      IF runs = p_runs THEN
        run_before := turn.run;
        EXIT;
      END IF;
      runs := runs + 1;
      run_of_turn := turn.run;
    END IF;
    first_id := turn.message_id;
  END LOOP;
  IF runs = 0 THEN RETURN; END IF;
  SELECT coalesce(max(m.message_id), 0) INTO after_id FROM agno_chat.messages m
    WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.message_id < first_id;
  IF s.undo_after > after_id THEN
    runs := NULL;
    messages := NULL;
    RETURN;
  END IF;

  WITH gone AS (
    DELETE FROM agno_chat.messages m
    WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.message_id > after_id
      AND m.role <> 'system'
    RETURNING m.role, m.bytes)
  SELECT count(*), count(*) FILTER (WHERE gone.role = 'user'), sum(gone.bytes)
    INTO messages, gone_runs, gone_bytes FROM gone;

  -- Of each key, the first value that was replaced.
  DELETE FROM agno_chat.states x USING agno_chat.state_changes c
    WHERE c.user_id = p_user AND c.session_key = s.session_key AND c.message_id > after_id
      AND x.user_id = p_user AND x.session_key = s.session_key AND x.key_hash = c.key_hash;
  INSERT INTO agno_chat.states
    SELECT p_user, s.session_key, f.key_hash, f.key, f.before FROM (
      SELECT DISTINCT ON (c.key_hash) c.key_hash, c.key, c.before FROM agno_chat.state_changes c
      WHERE c.user_id = p_user AND c.session_key = s.session_key AND c.message_id > after_id
      ORDER BY c.key_hash, c.message_id) f
    WHERE f.before IS NOT NULL;
  DELETE FROM agno_chat.state_changes c
    WHERE c.user_id = p_user AND c.session_key = s.session_key AND c.message_id > after_id;

  PERFORM agno_chat.record_clears(
    ARRAY[p_scope], ARRAY[runs], ARRAY[messages], p_time, p_commit);
  UPDATE agno_chat.sessions x SET
      born = (SELECT g.generation FROM agno_chat.generations g),
      latest_run = run_before,
      total = x.total - undo_v1.messages, messages = x.messages - undo_v1.messages,
      runs = x.runs - gone_runs, bytes = x.bytes - gone_bytes
    WHERE x.user_id = p_user AND x.session_id = p_session;
  IF s.messages = messages AND NOT EXISTS (
      SELECT FROM agno_chat.states x
      WHERE x.user_id = p_user AND x.session_key = s.session_key) THEN
    DELETE FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = p_session;
    u.sessions := u.sessions - 1;
  END IF;
  IF u.sessions = 0 THEN
    DELETE FROM agno_chat.users x WHERE x.user_id = p_user;
  ELSE
    UPDATE agno_chat.users x
      SET sessions = u.sessions, messages = x.messages - undo_v1.messages
      WHERE x.user_id = p_user;
  END IF;
END $$;

-- p_more_bytes: how many more bytes each message has in the session p_to. outcome: FORKED, or the
-- reason why nothing was copied.
CREATE FUNCTION agno_chat.fork_v1(
  p_user text, p_session text, p_to text, p_more_bytes bigint, p_time bigint, p_commit uuid,
  OUT outcome text, OUT messages bigint) ${ATTRIBUTES} AS $$
DECLARE
  u agno_chat.users;
  s agno_chat.sessions;
  target agno_chat.sessions;
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  SELECT * INTO u FROM agno_chat.users x WHERE x.user_id = p_user FOR UPDATE;
  SELECT * INTO target FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = p_to;
  IF FOUND THEN
    -- An earlier attempt of this call may have made it.
    outcome := CASE WHEN p_commit = ANY (target.state_commits) THEN 'FORKED'
      ELSE 'SESSION_EXISTS' END;
    messages := target.messages;
    RETURN;
  END IF;
  SELECT * INTO s FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = p_session;
  IF NOT FOUND THEN
    outcome := 'NOTHING';
    RETURN;
  END IF;

  outcome := 'FORKED';
  messages := s.messages;
  -- Before the messages, so that it counts as no change.
  INSERT INTO agno_chat.states
    SELECT p_user, u.next_session_key, x.key_hash, x.key, x.value FROM agno_chat.states x
    WHERE x.user_id = p_user AND x.session_key = s.session_key;
  INSERT INTO agno_chat.messages AS m
    SELECT p_user, u.next_session_key, x.id, x.created_at,
      x.bytes + p_more_bytes + length(x.id::text) - length(x.message_id::text),
      x.characters, NULL, x.role, x.run, x.body
    FROM (
      SELECT u.next_message_id - 1 + row_number() OVER (ORDER BY y.message_id) AS id, y.*
      FROM agno_chat.messages y WHERE y.user_id = p_user AND y.session_key = s.session_key) x;
  -- A change of a message that is gone counts as one of the next, so that the order stays.
  INSERT INTO agno_chat.state_changes
    SELECT p_user, u.next_session_key, u.next_message_id + (
        SELECT count(*) FROM agno_chat.messages m WHERE m.user_id = p_user
          AND m.session_key = s.session_key AND m.message_id < c.message_id),
      c.key_hash, c.key, c.before
    FROM agno_chat.state_changes c
    WHERE c.user_id = p_user AND c.session_key = s.session_key
    ORDER BY c.message_id
    ON CONFLICT (user_id, session_key, message_id, key_hash) DO NOTHING;
  INSERT INTO agno_chat.sessions AS x (
      user_id, session_id, session_key, born, total, messages, runs, bytes, last_activity,
      latest_run, state_commits, undo_after)
    SELECT p_user, p_to, u.next_session_key, g.generation, s.messages, s.messages, s.runs,
      (SELECT coalesce(sum(m.bytes), 0) FROM agno_chat.messages m
        WHERE m.user_id = p_user AND m.session_key = u.next_session_key),
      p_time, s.latest_run, ARRAY[p_commit],
      CASE s.undo_after WHEN 0 THEN 0 ELSE u.next_message_id + (
        SELECT count(*) FROM agno_chat.messages m WHERE m.user_id = p_user
          AND m.session_key = s.session_key AND m.message_id < s.undo_after) END
    FROM agno_chat.generations g;
  UPDATE agno_chat.users x SET
      next_message_id = x.next_message_id + s.messages,
      next_session_key = x.next_session_key + 1,
      sessions = x.sessions + 1, messages = x.messages + s.messages,
      last_activity = greatest(x.last_activity, p_time)
    WHERE x.user_id = p_user;
END $$;
`;
