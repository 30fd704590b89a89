import { ATTRIBUTES } from "./attributes.js";

/** The functions that see more than one user: ids and counts only. */
export const LISTS = `
CREATE FUNCTION agno_chat.users_v1(p_after text, p_limit bigint)
RETURNS TABLE (user_id text, sessions bigint, messages bigint, last_activity bigint)
${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.list', 'users', true);
  RETURN QUERY
    SELECT x.user_id, x.sessions, x.messages, x.last_activity FROM agno_chat.users x
    WHERE x.user_id > p_after ORDER BY x.user_id LIMIT p_limit;
  PERFORM set_config('agno_chat.list', '', true);
END $$;

CREATE FUNCTION agno_chat.idle_users_v1(p_before bigint, p_after text, p_limit bigint)
RETURNS SETOF text ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.list', 'users', true);
  RETURN QUERY
    SELECT x.user_id FROM agno_chat.users x
    WHERE x.user_id > p_after AND x.last_activity < p_before ORDER BY x.user_id LIMIT p_limit;
  PERFORM set_config('agno_chat.list', '', true);
END $$;

CREATE FUNCTION agno_chat.count_users_v1(p_before bigint, OUT users bigint, OUT idle bigint)
${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.list', 'users', true);
  SELECT count(*), count(*) FILTER (WHERE x.last_activity < p_before)
    INTO users, idle FROM agno_chat.users x;
  PERFORM set_config('agno_chat.list', '', true);
END $$;

-- is_bound: whether row security applies inside the functions, whoever calls them.
CREATE FUNCTION agno_chat.about_v1(OUT version int, OUT owner text, OUT is_bound boolean)
${ATTRIBUTES} AS $$
BEGIN
  SELECT x.version INTO version FROM agno_chat.meta x;
  owner := current_user;
  SELECT count(*) = 4 INTO is_bound FROM pg_class c
    WHERE c.relnamespace = 'agno_chat'::regnamespace AND c.relkind = 'r'
      AND c.relname IN ('users', 'sessions', 'messages', 'states') AND row_security_active(c.oid);
END $$;
`;
