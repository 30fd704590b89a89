import { ATTRIBUTES } from "./attributes.js";

const COUNTS = `\
SELECT count(*), coalesce(sum(x.messages), 0), coalesce(sum(x.runs), 0),
        coalesce(sum(x.bytes), 0), max(x.last_activity)
      INTO sessions, messages, runs, bytes, last_activity`;

/** Lists and counts of the sessions of a user, without what is not looked at. */
export const SESSION_LISTS = `
-- What sessions_v1 returns, up to p_limit rows; NULL means all.
CREATE FUNCTION agno_chat.sessions_v2(p_user text, p_limit bigint)
RETURNS TABLE (session_id text, messages bigint, runs bigint, bytes bigint, last_activity bigint)
${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  RETURN QUERY
    SELECT x.session_id, x.messages, x.runs, x.bytes, x.last_activity FROM agno_chat.sessions x
    WHERE x.user_id = p_user ORDER BY x.last_activity DESC, x.session_key LIMIT p_limit;
END $$;

-- Sums up one session, or all if p_session is NULL.
CREATE FUNCTION agno_chat.counts_v1(p_user text, p_session text, OUT sessions bigint,
  OUT messages bigint, OUT runs bigint, OUT bytes bigint, OUT last_activity bigint)
${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  IF p_session IS NULL THEN
    ${COUNTS}
      FROM agno_chat.sessions x WHERE x.user_id = p_user;
  ELSE
    ${COUNTS}
      FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = p_session;
  END IF;
END $$;

-- The next names of sessions above p_after, by name.
CREATE FUNCTION agno_chat.session_names_v1(p_user text, p_after text, p_limit bigint)
RETURNS SETOF text ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  RETURN QUERY
    SELECT x.session_id FROM agno_chat.sessions x
    WHERE x.user_id = p_user AND x.session_id > p_after ORDER BY x.session_id LIMIT p_limit;
END $$;
`;
