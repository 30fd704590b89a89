import { ATTRIBUTES } from "./attributes.js";

/**
 * The functions that only read. They return a message as one JSON text,
 * `[id, createdAt, run, body]` or `[id, createdAt, run, body, sessionId]`.
 */
export const READS = `
-- One row is {"generation": …, "total": …, "state": [[key, value], …]}, the others are messages.
-- A single statement, so that all of it is from one moment.
CREATE FUNCTION agno_chat.read_v1(p_user text, p_session text, p_limit bigint)
RETURNS SETOF text ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  RETURN QUERY
    WITH s AS MATERIALIZED (
      SELECT x.session_key, x.total FROM agno_chat.sessions x
      WHERE x.user_id = p_user AND x.session_id = p_session)
    SELECT '{"generation":' || g.generation
        || ',"total":' || coalesce((SELECT s.total FROM s), 0)
        || ',"state":[' || coalesce((
             SELECT string_agg('[' || x.key || ',' || x.value || ']', ',') FROM agno_chat.states x
             WHERE x.user_id = p_user AND x.session_key = (SELECT s.session_key FROM s)), '')
        || ']}'
      FROM agno_chat.generations g
    UNION ALL
    SELECT '[' || m.message_id || ',' || m.created_at || ',' || m.run || ',' || m.body || ']' FROM (
      (SELECT * FROM agno_chat.messages x
        WHERE x.user_id = p_user AND x.session_key = (SELECT s.session_key FROM s)
          AND x.role = 'system')
      UNION ALL
      (SELECT * FROM agno_chat.messages x
        WHERE x.user_id = p_user AND x.session_key = (SELECT s.session_key FROM s)
          AND x.role <> 'system'
        ORDER BY x.message_id DESC LIMIT p_limit)) m;
END $$;

-- Returns the latest messages below p_before, or the oldest above p_after if that is given, up to
-- and including the one that exceeds p_characters. Scans one index range for each session.
CREATE FUNCTION agno_chat.page_v1(
  p_user text, p_session text, p_after bigint, p_before bigint, p_limit bigint, p_characters bigint)
RETURNS SETOF text ${ATTRIBUTES} AS $$
DECLARE
  found_messages refcursor;
  line text;
  more bigint;
  characters bigint := 0;
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  IF p_after IS NULL THEN
    OPEN found_messages FOR
      SELECT '[' || m.message_id || ',' || m.created_at || ',' || m.run || ',' || m.body || ','
          || to_json(s.session_id) || ']', m.characters
      FROM agno_chat.sessions s CROSS JOIN LATERAL (
        SELECT * FROM agno_chat.messages x
        WHERE x.user_id = p_user AND x.session_key = s.session_key AND x.message_id < p_before
        ORDER BY x.message_id DESC LIMIT p_limit) m
      WHERE s.user_id = p_user AND (p_session IS NULL OR s.session_id = p_session)
      ORDER BY m.message_id DESC LIMIT p_limit;
  ELSE
    OPEN found_messages FOR
      SELECT '[' || m.message_id || ',' || m.created_at || ',' || m.run || ',' || m.body || ','
          || to_json(s.session_id) || ']', m.characters
      FROM agno_chat.sessions s CROSS JOIN LATERAL (
        SELECT * FROM agno_chat.messages x
        WHERE x.user_id = p_user AND x.session_key = s.session_key
          AND x.message_id > p_after AND x.message_id < p_before
        ORDER BY x.message_id LIMIT p_limit) m
      WHERE s.user_id = p_user AND (p_session IS NULL OR s.session_id = p_session)
      ORDER BY m.message_id LIMIT p_limit;
  END IF;
  LOOP
    FETCH found_messages INTO line, more;
    EXIT WHEN NOT FOUND;
    RETURN NEXT line;
    characters := characters + more;
    EXIT WHEN characters > p_characters;
  END LOOP;
END $$;

CREATE FUNCTION agno_chat.size_v1(p_user text, p_session text)
RETURNS bigint ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  IF p_session IS NULL THEN
    RETURN (SELECT x.messages FROM agno_chat.users x WHERE x.user_id = p_user);
  END IF;
  RETURN (
    SELECT x.messages FROM agno_chat.sessions x
    WHERE x.user_id = p_user AND x.session_id = p_session);
END $$;

CREATE FUNCTION agno_chat.sessions_v1(p_user text)
RETURNS TABLE (session_id text, messages bigint, runs bigint, bytes bigint, last_activity bigint)
${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  RETURN QUERY
    SELECT x.session_id, x.messages, x.runs, x.bytes, x.last_activity FROM agno_chat.sessions x
    WHERE x.user_id = p_user ORDER BY x.last_activity DESC, x.session_key;
END $$;
`;
