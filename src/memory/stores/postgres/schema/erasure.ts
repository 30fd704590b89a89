import { ATTRIBUTES } from "./attributes.js";

/** What there is of one user besides messages, for a receipt of what a delete has left. */
export const ERASURE = `
-- strays: rows of the user that belong to no session, message or block of theirs.
CREATE FUNCTION agno_chat.kept_v1(p_user text,
  OUT state_values bigint, OUT state_changes bigint, OUT attachments bigint,
  OUT search_blocks bigint, OUT strays bigint) ${ATTRIBUTES} AS $$
DECLARE
  own bigint[];
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  own := ARRAY(SELECT s.session_key FROM agno_chat.sessions s WHERE s.user_id = p_user);
  SELECT count(*) INTO state_values FROM agno_chat.states x WHERE x.user_id = p_user;
  SELECT count(*) INTO state_changes FROM agno_chat.state_changes x WHERE x.user_id = p_user;
  SELECT count(*) INTO attachments FROM agno_chat.attachments x WHERE x.user_id = p_user;
  SELECT count(*) INTO search_blocks FROM agno_chat.search_blocks x WHERE x.user_id = p_user;
  strays :=
    (SELECT count(*) FROM agno_chat.messages x
      WHERE x.user_id = p_user AND x.session_key <> ALL (own))
    + (SELECT count(*) FROM agno_chat.states x
      WHERE x.user_id = p_user AND x.session_key <> ALL (own))
    + (SELECT count(*) FROM agno_chat.state_changes x
      WHERE x.user_id = p_user AND x.session_key <> ALL (own))
    + (SELECT count(*) FROM agno_chat.sessions x WHERE x.user_id = p_user
      AND NOT EXISTS (SELECT FROM agno_chat.users u WHERE u.user_id = p_user))
    + (SELECT count(*) FROM agno_chat.attachments x WHERE x.user_id = p_user
      AND NOT EXISTS (SELECT FROM agno_chat.attachment_uses y
        WHERE y.user_id = p_user AND y.hash = x.hash))
    + (SELECT count(*) FROM agno_chat.attachment_uses x WHERE x.user_id = p_user
      AND NOT EXISTS (SELECT FROM agno_chat.messages m
        WHERE m.user_id = p_user AND m.session_key = x.session_key
          AND m.message_id = x.message_id))
    + (SELECT count(*) FROM agno_chat.search_blocks x WHERE x.user_id = p_user
      AND NOT x.sessions && own)
    + (SELECT count(*) FROM agno_chat.search_parts x WHERE x.user_id = p_user
      AND NOT EXISTS (SELECT FROM agno_chat.search_blocks b
        WHERE b.user_id = p_user AND b.first_id = x.first_id))
    + (SELECT count(*) FROM agno_chat.leases x
      WHERE x.user_id = p_user AND x.expires_at < clock_timestamp()
        AND NOT EXISTS (SELECT FROM agno_chat.sessions s
          WHERE s.user_id = p_user AND s.session_id = x.session_id));
END $$;
`;

/** The tables that hold what users have said. */
export const TABLES_OF_USERS: readonly string[] = [
  ...["users", "sessions", "messages", "states", "state_changes"],
  ...["attachments", "attachment_uses", "search_blocks", "search_parts"],
];
