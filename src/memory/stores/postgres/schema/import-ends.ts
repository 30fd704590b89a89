import { ATTRIBUTES } from "./attributes.js";

/**
 * An imported session can be undone up to its own last message: `end_import_v1` took that of the
 * user, so that the first run after an import could not be taken back.
 */
export const IMPORT_ENDS = `
CREATE OR REPLACE FUNCTION agno_chat.end_import_v1(p_user text) RETURNS void ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  UPDATE agno_chat.sessions s SET undo_after = (
      SELECT coalesce(max(m.message_id), 0) FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key)
    WHERE s.user_id = p_user;
END $$;
`;
