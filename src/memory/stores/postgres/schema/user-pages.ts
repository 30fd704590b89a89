import { ATTRIBUTES } from "./attributes.js";

const MESSAGES = `\
SELECT '[' || m.message_id || ',' || m.created_at || ',' || m.run || ',' || m.body || ','
          || to_json((SELECT s.session_id FROM agno_chat.sessions s
               WHERE s.user_id = p_user AND s.session_key = m.session_key)) || ']', m.characters
      FROM agno_chat.messages m`;

/**
 * Pages of all sessions of a user by two indexes, since `page_v1` asks every session for every
 * page.
 */
export const USER_PAGES = `
CREATE INDEX messages_by_id ON agno_chat.messages (user_id, message_id);
CREATE INDEX sessions_by_key ON agno_chat.sessions (user_id, session_key);

-- What page_v1 returns of all sessions.
CREATE FUNCTION agno_chat.user_page_v1(
  p_user text, p_after bigint, p_before bigint, p_limit bigint, p_characters bigint)
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
      ${MESSAGES}
      WHERE m.user_id = p_user AND m.message_id < p_before
      ORDER BY m.message_id DESC LIMIT p_limit;
  ELSE
    OPEN found_messages FOR
      ${MESSAGES}
      WHERE m.user_id = p_user AND m.message_id > p_after AND m.message_id < p_before
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
`;
