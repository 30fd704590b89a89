import { ATTRIBUTES } from "./attributes.js";

/**
 * Contents of attachments, each once for a user and a hash, and the messages that use them. What no
 * message uses any more goes with the statement that deletes the last one, whichever that is.
 */
export const ATTACHMENTS = `
CREATE TABLE agno_chat.attachments (
  user_id text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (user_id, hash));

CREATE TABLE agno_chat.attachment_uses (
  user_id text COLLATE "C" NOT NULL,
  session_key bigint NOT NULL,
  message_id bigint NOT NULL,
  hash text COLLATE "C" NOT NULL,
  PRIMARY KEY (user_id, session_key, message_id, hash));
CREATE INDEX attachment_uses_by_hash ON agno_chat.attachment_uses (user_id, hash);

${["attachments", "attachment_uses"]
  .map(
    (table) => `
ALTER TABLE agno_chat.${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON agno_chat.${table}
  USING (user_id = current_setting('agno_chat.user_id', true));`,
  )
  .join("")}

CREATE FUNCTION agno_chat.attachments_v1(p_user text, p_hashes text[])
RETURNS TABLE (hash text, content bytea) ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  RETURN QUERY SELECT x.hash, x.content FROM agno_chat.attachments x
    WHERE x.user_id = p_user AND x.hash = ANY (p_hashes);
END $$;

-- The message with the id p_ids[i] of its session uses p_hashes[i], whose content is p_contents[i],
-- or NULL if that comes with another.
CREATE FUNCTION agno_chat.attach_v1(
  p_user text, p_session text, p_ids bigint[], p_hashes text[], p_contents bytea[])
RETURNS void ${ATTRIBUTES} AS $$
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  INSERT INTO agno_chat.attachments
    SELECT p_user, x.hash, x.content FROM unnest(p_hashes, p_contents) AS x (hash, content)
    WHERE x.content IS NOT NULL
    ON CONFLICT DO NOTHING;
  INSERT INTO agno_chat.attachment_uses
    SELECT p_user, s.session_key, x.id, x.hash
    FROM unnest(p_ids, p_hashes) AS x (id, hash)
    JOIN agno_chat.sessions s ON s.user_id = p_user AND s.session_id = p_session
    ON CONFLICT DO NOTHING;
END $$;

-- write_run_v1 if a run is settled, write_leased_v1 if there is a holder, or else write_v1; and the
-- attachments of its messages, which p_places counts from 0.
CREATE FUNCTION agno_chat.write_attached_v1(
  p_places bigint[], p_hashes text[], p_contents bytea[],
  p_settled uuid, p_tokens bigint, p_holder uuid, p_fence bigint,
  p_user text, p_session text, p_time bigint, p_commit uuid, p_is_repeat boolean,
  p_generation bigint, p_scopes text[], p_expected_keys text[], p_expected_values text[],
  p_replaced_run text, p_new_run text,
  p_roles text[], p_runs text[], p_created bigint[], p_bytes bigint[], p_characters bigint[],
  p_bodies text[], p_keys text[], p_values text[],
  OUT outcome text, OUT first_id bigint, OUT run text) ${ATTRIBUTES} AS $$
BEGIN
  IF p_settled IS NOT NULL THEN
    SELECT w.* INTO outcome, first_id, run FROM agno_chat.write_run_v1(
      p_settled, p_tokens, p_holder, p_fence,
      p_user, p_session, p_time, p_commit, p_is_repeat, p_generation, p_scopes, p_expected_keys,
      p_expected_values, p_replaced_run, p_new_run, p_roles, p_runs, p_created, p_bytes,
      p_characters, p_bodies, p_keys, p_values) w;
  ELSIF p_holder IS NOT NULL THEN
    SELECT w.* INTO outcome, first_id, run FROM agno_chat.write_leased_v1(
      p_holder, p_fence,
      p_user, p_session, p_time, p_commit, p_is_repeat, p_generation, p_scopes, p_expected_keys,
      p_expected_values, p_replaced_run, p_new_run, p_roles, p_runs, p_created, p_bytes,
      p_characters, p_bodies, p_keys, p_values) w;
  ELSE
    SELECT w.* INTO outcome, first_id, run FROM agno_chat.write_v1(
      p_user, p_session, p_time, p_commit, p_is_repeat, p_generation, p_scopes, p_expected_keys,
      p_expected_values, p_replaced_run, p_new_run, p_roles, p_runs, p_created, p_bytes,
      p_characters, p_bodies, p_keys, p_values) w;
  END IF;
  IF outcome = 'STORED' THEN
    PERFORM agno_chat.attach_v1(p_user, p_session,
      ARRAY(SELECT write_attached_v1.first_id + x.place
        FROM unnest(p_places) WITH ORDINALITY AS x (place, index) ORDER BY x.index),
      p_hashes, p_contents);
  END IF;
END $$;

-- As fork_v1, with the attachments of the messages: the copies are in the same order.
CREATE FUNCTION agno_chat.fork_v2(
  p_user text, p_session text, p_to text, p_more_bytes bigint, p_time bigint, p_commit uuid,
  OUT outcome text, OUT messages bigint) ${ATTRIBUTES} AS $$
DECLARE
  is_new boolean;
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  PERFORM FROM agno_chat.users x WHERE x.user_id = p_user FOR UPDATE;
  is_new := NOT EXISTS (
    SELECT FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = p_to);
  SELECT f.* INTO outcome, messages FROM agno_chat.fork_v1(
    p_user, p_session, p_to, p_more_bytes, p_time, p_commit) f;
  IF NOT is_new OR outcome <> 'FORKED' THEN RETURN; END IF;
  INSERT INTO agno_chat.attachment_uses
    SELECT p_user, copy.session_key, copy.message_id, x.hash
    FROM (
      SELECT m.session_key, m.message_id, row_number() OVER (ORDER BY m.message_id) AS place
      FROM agno_chat.messages m JOIN agno_chat.sessions s USING (user_id, session_key)
      WHERE m.user_id = p_user AND s.session_id = p_session) own
    JOIN (
      SELECT m.session_key, m.message_id, row_number() OVER (ORDER BY m.message_id) AS place
      FROM agno_chat.messages m JOIN agno_chat.sessions s USING (user_id, session_key)
      WHERE m.user_id = p_user AND s.session_id = p_to) copy USING (place)
    JOIN agno_chat.attachment_uses x ON x.user_id = p_user
      AND x.session_key = own.session_key AND x.message_id = own.message_id;
END $$;

CREATE FUNCTION agno_chat.drop_unused_attachments() RETURNS trigger ${ATTRIBUTES} AS $$
DECLARE
  me text := current_setting('agno_chat.user_id', true);
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    TRUNCATE agno_chat.attachments, agno_chat.attachment_uses;
    RETURN NULL;
  END IF;
  DELETE FROM agno_chat.attachment_uses x WHERE x.user_id = me AND NOT EXISTS (
    SELECT FROM agno_chat.messages m
    WHERE m.user_id = me AND m.session_key = x.session_key AND m.message_id = x.message_id);
  DELETE FROM agno_chat.attachments x WHERE x.user_id = me AND NOT EXISTS (
    SELECT FROM agno_chat.attachment_uses y WHERE y.user_id = me AND y.hash = x.hash);
  RETURN NULL;
END $$;
CREATE TRIGGER drop_unused_attachments AFTER DELETE OR TRUNCATE ON agno_chat.messages
  FOR EACH STATEMENT EXECUTE FUNCTION agno_chat.drop_unused_attachments();
`;
