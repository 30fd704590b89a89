import { ATTRIBUTES } from "./attributes.js";

/**
 * What lets users in at a server. Looked up by its id, before the user is known; only a hash is
 * kept. Times are milliseconds since 1970, by the clocks of the servers.
 */
export const TOKENS = `
CREATE TABLE agno_chat.tokens (
  token_id text COLLATE "C" PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL,
  hash text NOT NULL,
  label text,
  created_at bigint NOT NULL,
  expires_at bigint,
  last_used_at bigint);
CREATE INDEX tokens_of_user ON agno_chat.tokens (user_id);
ALTER TABLE agno_chat.tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON agno_chat.tokens
  USING (user_id = current_setting('agno_chat.user_id', true));
CREATE POLICY named ON agno_chat.tokens
  USING (token_id = current_setting('agno_chat.token_id', true));
CREATE POLICY listed ON agno_chat.tokens FOR SELECT
  USING (current_setting('agno_chat.list', true) = 'tokens');

-- A repeated call inserts nothing.
CREATE FUNCTION agno_chat.insert_token_v1(
  p_token text, p_user text, p_hash text, p_label text, p_created bigint, p_expires bigint)
RETURNS void ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  INSERT INTO agno_chat.tokens VALUES (p_token, p_user, p_hash, p_label, p_created, p_expires)
    ON CONFLICT DO NOTHING;
END $$;

CREATE FUNCTION agno_chat.token_v1(p_token text)
RETURNS TABLE (token_id text, user_id text, hash text, label text, created_at bigint,
  expires_at bigint, last_used_at bigint) ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.token_id', p_token, true);
  RETURN QUERY SELECT * FROM agno_chat.tokens x WHERE x.token_id = p_token;
  PERFORM set_config('agno_chat.token_id', '', true);
END $$;

-- Of one user, or of all if that is null; oldest first.
CREATE FUNCTION agno_chat.tokens_v1(p_user text)
RETURNS TABLE (token_id text, user_id text, hash text, label text, created_at bigint,
  expires_at bigint, last_used_at bigint) ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.list', 'tokens', true);
  RETURN QUERY SELECT * FROM agno_chat.tokens x
    WHERE p_user IS NULL OR x.user_id = p_user ORDER BY x.created_at, x.token_id;
  PERFORM set_config('agno_chat.list', '', true);
END $$;

CREATE FUNCTION agno_chat.note_token_use_v1(p_token text, p_time bigint)
RETURNS void ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM set_config('agno_chat.token_id', p_token, true);
  UPDATE agno_chat.tokens x SET last_used_at = greatest(x.last_used_at, p_time)
    WHERE x.token_id = p_token;
  PERFORM set_config('agno_chat.token_id', '', true);
END $$;

CREATE FUNCTION agno_chat.delete_token_v1(p_token text, OUT was_there boolean) ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.token_id', p_token, true);
  DELETE FROM agno_chat.tokens x WHERE x.token_id = p_token;
  was_there := FOUND;
  PERFORM set_config('agno_chat.token_id', '', true);
END $$;
`;
