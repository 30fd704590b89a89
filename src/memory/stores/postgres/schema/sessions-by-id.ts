import { ATTRIBUTES } from "./attributes.js";

/** The sessions of a user who may have more than fit in memory. */
export const SESSIONS_BY_ID = `
-- Returns the next sessions above the id p_after, up to and including the one whose state exceeds
-- p_characters. A single statement, so that all of them are from one moment.
CREATE FUNCTION agno_chat.sessions_by_id_v1(
  p_user text, p_after text, p_limit bigint, p_characters bigint)
RETURNS TABLE (session_id text, messages bigint, runs bigint, bytes bigint, last_activity bigint,
  total bigint, state text) ${ATTRIBUTES} AS $$
DECLARE
  found_sessions refcursor;
  characters bigint := 0;
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  OPEN found_sessions FOR
    SELECT s.session_id, s.messages, s.runs, s.bytes, s.last_activity, s.total, '[' || coalesce((
        SELECT string_agg('[' || x.key || ',' || x.value || ']', ',') FROM agno_chat.states x
        WHERE x.user_id = p_user AND x.session_key = s.session_key), '') || ']'
    FROM agno_chat.sessions s
    WHERE s.user_id = p_user AND s.session_id > p_after ORDER BY s.session_id LIMIT p_limit;
  LOOP
    FETCH found_sessions
      INTO session_id, messages, runs, bytes, last_activity, total, state;
    EXIT WHEN NOT FOUND;
    RETURN NEXT;
    characters := characters + length(state);
    EXIT WHEN characters > p_characters;
  END LOOP;
END $$;
`;
