import { ATTRIBUTES } from "./attributes.js";

/** Writes only to a session that nobody has added to since it was read. */
export const TOTALS = `
-- write_attached_v1 if the session has this total; 0 if there is none.
CREATE FUNCTION agno_chat.write_after_v1(
  p_total bigint,
  p_places bigint[], p_hashes text[], p_contents bytea[],
  p_settled uuid, p_tokens bigint, p_holder uuid, p_fence bigint,
  p_user text, p_session text, p_time bigint, p_commit uuid, p_is_repeat boolean,
  p_generation bigint, p_scopes text[], p_expected_keys text[], p_expected_values text[],
  p_replaced_run text, p_new_run text,
  p_roles text[], p_runs text[], p_created bigint[], p_bytes bigint[], p_characters bigint[],
  p_bodies text[], p_keys text[], p_values text[],
  OUT outcome text, OUT first_id bigint, OUT run text) ${ATTRIBUTES} AS $$
DECLARE
  s agno_chat.sessions;
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);

  -- As write_v1: nobody else adds to the session from here on, not even to one of a new user.
  LOOP
    PERFORM FROM agno_chat.users x WHERE x.user_id = p_user FOR UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO agno_chat.users VALUES (p_user, 1, 1, 0, 0, p_time)
      ON CONFLICT (user_id) DO NOTHING;
    EXIT WHEN FOUND;
  END LOOP;
  SELECT * INTO s FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = p_session;

  -- If an earlier attempt has already stored it, the total is another one for that.
  IF p_total <> coalesce(s.total, 0) AND NOT EXISTS (
      SELECT FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.commit_id = p_commit) THEN
    outcome := 'RUN_CONFLICT';
    DELETE FROM agno_chat.users x WHERE x.user_id = p_user AND x.sessions = 0;
    RETURN;
  END IF;
  SELECT w.* INTO outcome, first_id, run FROM agno_chat.write_attached_v1(
    p_places, p_hashes, p_contents, p_settled, p_tokens, p_holder, p_fence,
    p_user, p_session, p_time, p_commit, p_is_repeat, p_generation, p_scopes, p_expected_keys,
    p_expected_values, p_replaced_run, p_new_run, p_roles, p_runs, p_created, p_bytes,
    p_characters, p_bodies, p_keys, p_values) w;
END $$;
`;
