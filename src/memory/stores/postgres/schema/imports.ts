import { ATTRIBUTES } from "./attributes.js";

/** Copies a user from another store, in one transaction of several calls. */
export const IMPORTS = `
-- Creates the user without messages. Returns false if the user exists.
CREATE FUNCTION agno_chat.import_user_v1(
  p_user text, p_last_activity bigint, p_sessions text[], p_totals bigint[], p_activities bigint[],
  p_state_sessions text[], p_keys text[], p_values text[]) RETURNS boolean ${ATTRIBUTES} AS $$
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  INSERT INTO agno_chat.users AS x
    VALUES (p_user, 1, cardinality(p_sessions) + 1, cardinality(p_sessions), 0, p_last_activity)
    ON CONFLICT (user_id) DO NOTHING;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO agno_chat.sessions
    SELECT p_user, s.id, s.index, g.generation, s.total, 0, 0, 0, s.activity, NULL, '{}'
    FROM unnest(p_sessions, p_totals, p_activities) WITH ORDINALITY
      AS s (id, total, activity, index), agno_chat.generations g;
  INSERT INTO agno_chat.states
    SELECT p_user, s.session_key, sha256(convert_to(c.key, 'UTF8')), c.key, c.value
    FROM unnest(p_state_sessions, p_keys, p_values) AS c (session, key, value)
    JOIN agno_chat.sessions s ON s.user_id = p_user AND s.session_id = c.session;
  RETURN true;
END $$;

-- Appends messages, ordered by id. Their ids are greater than any stored id.
CREATE FUNCTION agno_chat.import_messages_v1(
  p_user text, p_sessions text[], p_ids bigint[], p_created bigint[], p_bytes bigint[],
  p_characters bigint[], p_roles text[], p_runs text[], p_bodies text[])
RETURNS void ${ATTRIBUTES} AS $$
DECLARE
  n int := cardinality(p_ids);
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  UPDATE agno_chat.users x SET messages = x.messages + n, next_message_id = p_ids[n] + 1
    WHERE x.user_id = p_user AND x.next_message_id <= p_ids[1];
  IF NOT FOUND THEN RAISE EXCEPTION 'ids are not greater than every stored id' USING ERRCODE = '22000'; END IF;
  WITH added AS (
    INSERT INTO agno_chat.messages AS m
      SELECT p_user, s.session_key, x.id, x.created, x.bytes, x.characters, NULL, x.role, x.run, x.body
      FROM unnest(p_sessions, p_ids, p_created, p_bytes, p_characters, p_roles, p_runs, p_bodies)
        AS x (session, id, created, bytes, characters, role, run, body)
      JOIN agno_chat.sessions s ON s.user_id = p_user AND s.session_id = x.session
    RETURNING m.session_key, m.message_id, m.bytes, m.role, m.run),
  sums AS (
    SELECT a.session_key, count(*) AS messages, count(*) FILTER (WHERE a.role = 'user') AS runs,
      sum(a.bytes) AS bytes, (array_agg(a.run ORDER BY a.message_id DESC))[1] AS latest_run
    FROM added a GROUP BY a.session_key)
  UPDATE agno_chat.sessions x SET messages = x.messages + sums.messages, runs = x.runs + sums.runs,
      bytes = x.bytes + sums.bytes, latest_run = sums.latest_run
    FROM sums WHERE x.user_id = p_user AND x.session_key = sums.session_key;
END $$;
`;
