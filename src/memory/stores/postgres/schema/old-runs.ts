import { ATTRIBUTES } from "./attributes.js";

/** Deletes old runs, and sessions that are old as a whole. */
export const OLD_RUNS = `
-- As scopeOf of clear-log.ts.
CREATE FUNCTION agno_chat.session_scope(p_user text, p_session text) RETURNS text
${ATTRIBUTES} AS $$
BEGIN
  RETURN translate(rtrim(encode(sha256(convert_to(
    '[' || to_json(p_user) || ',' || to_json(p_session) || ']', 'UTF8')), 'base64'), '='),
    '+/', '-_');
END $$;

CREATE FUNCTION agno_chat.clear_before_v1(
  p_user text, p_session text, p_before bigint, p_is_dry boolean, p_time bigint, p_commit uuid,
  p_is_repeat boolean, OUT sessions bigint, OUT messages bigint) ${ATTRIBUTES} AS $$
DECLARE
  u agno_chat.users;
  s agno_chat.sessions;
  old_runs text[];
  gone bigint;
  gone_runs bigint;
  gone_bytes bigint;
  is_whole boolean;
  shortened bigint[] := '{}';
  scopes text[] := '{}';
  scope_sessions bigint[] := '{}';
  scope_messages bigint[] := '{}';
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  SELECT * INTO u FROM agno_chat.users x WHERE x.user_id = p_user FOR UPDATE;

  -- An earlier attempt of this call has already deleted them.
  IF p_is_repeat THEN
    SELECT sum(c.sessions), sum(c.messages) INTO sessions, messages FROM agno_chat.clears c
      WHERE c.commit_id = p_commit;
    IF sessions IS NOT NULL THEN RETURN; END IF;
  END IF;

  sessions := 0;
  messages := 0;
  FOR s IN
    SELECT * FROM agno_chat.sessions x
    WHERE x.user_id = p_user AND (p_session IS NULL OR x.session_id = p_session)
  LOOP
    SELECT coalesce(array_agg(r.run), '{}') INTO old_runs FROM (
      SELECT m.run FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.role <> 'system'
      GROUP BY m.run HAVING max(m.created_at) < p_before) r;
    SELECT count(*), count(*) FILTER (WHERE m.role = 'user'), coalesce(sum(m.bytes), 0)
      INTO gone, gone_runs, gone_bytes FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.role <> 'system'
        AND m.run IN (SELECT unnest(old_runs));
    is_whole := s.last_activity < p_before OR (gone = s.messages AND NOT EXISTS (
      SELECT FROM agno_chat.states x
      WHERE x.user_id = p_user AND x.session_key = s.session_key));
    CONTINUE WHEN gone = 0 AND NOT is_whole;
    gone := CASE WHEN is_whole THEN s.messages ELSE gone END;
    sessions := sessions + is_whole::int;
    messages := messages + gone;
    CONTINUE WHEN p_is_dry;

    scopes := scopes || agno_chat.session_scope(p_user, s.session_id);
    scope_sessions := scope_sessions || is_whole::int::bigint;
    scope_messages := scope_messages || gone;
    IF is_whole THEN
      DELETE FROM agno_chat.messages x WHERE x.user_id = p_user AND x.session_key = s.session_key;
      DELETE FROM agno_chat.states x WHERE x.user_id = p_user AND x.session_key = s.session_key;
      DELETE FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = s.session_id;
    ELSE
      DELETE FROM agno_chat.state_changes c
        WHERE c.user_id = p_user AND c.session_key = s.session_key AND (
          SELECT m.run FROM agno_chat.messages m
          WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.role <> 'system'
            AND m.message_id >= c.message_id
          ORDER BY m.message_id LIMIT 1) = ANY (old_runs);
      DELETE FROM agno_chat.messages m
        WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.role <> 'system'
          AND m.run IN (SELECT unnest(old_runs));
      UPDATE agno_chat.sessions x SET
          messages = x.messages - gone, runs = x.runs - gone_runs, bytes = x.bytes - gone_bytes,
          latest_run = CASE WHEN x.latest_run = ANY (old_runs) THEN (
            SELECT m.run FROM agno_chat.messages m
            WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.role <> 'system'
            ORDER BY m.message_id DESC LIMIT 1) ELSE x.latest_run END,
          undo_after = (
            SELECT coalesce(max(m.message_id), 0) FROM agno_chat.messages m
            WHERE m.user_id = p_user AND m.session_key = s.session_key
              AND m.message_id <= x.undo_after)
        WHERE x.user_id = p_user AND x.session_id = s.session_id;
      shortened := shortened || s.session_key;
    END IF;
  END LOOP;
  IF cardinality(scopes) = 0 THEN RETURN; END IF;

  IF u.sessions = sessions THEN
    DELETE FROM agno_chat.users x WHERE x.user_id = p_user;
  ELSE
    UPDATE agno_chat.users x SET
        sessions = x.sessions - clear_before_v1.sessions,
        messages = x.messages - clear_before_v1.messages
      WHERE x.user_id = p_user;
  END IF;
  PERFORM agno_chat.record_clears(scopes, scope_sessions, scope_messages, p_time, p_commit);
  UPDATE agno_chat.sessions x SET born = (SELECT g.generation FROM agno_chat.generations g)
    WHERE x.user_id = p_user AND x.session_key = ANY (shortened);
END $$;
`;
