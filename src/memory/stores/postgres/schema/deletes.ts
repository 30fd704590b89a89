import { ATTRIBUTES } from "./attributes.js";

/** All functions lock in the same order: users by id, then their rows, then the generation. */
export const DELETES = `
-- Called by every delete that found something. Forgets clears older than a day.
CREATE FUNCTION agno_chat.record_clears(
  p_scopes text[], p_sessions bigint[], p_messages bigint[], p_time bigint, p_commit uuid)
RETURNS void ${ATTRIBUTES} AS $$
DECLARE
  n int := cardinality(p_scopes);
  latest bigint;
  old bigint;
BEGIN
  UPDATE agno_chat.generations SET generation = generation + n RETURNING generation INTO latest;
  INSERT INTO agno_chat.clears
    SELECT x.scope, latest - n + x.index, p_time, p_commit, 1, x.sessions, x.messages
    FROM unnest(p_scopes, p_sessions, p_messages) WITH ORDINALITY
      AS x (scope, sessions, messages, index)
    ON CONFLICT (scope_hash) DO UPDATE SET
      generation = excluded.generation, cleared_at = excluded.cleared_at,
      commit_id = excluded.commit_id, sessions = excluded.sessions, messages = excluded.messages;
  WITH gone AS (
    DELETE FROM agno_chat.clears WHERE cleared_at < p_time - 86400000 RETURNING generation)
  SELECT max(gone.generation) INTO old FROM gone;
  UPDATE agno_chat.generations SET forgotten = greatest(forgotten, old) WHERE forgotten < old;
END $$;

CREATE FUNCTION agno_chat.delete_v1(
  p_user text, p_session text, p_scope text, p_time bigint, p_commit uuid,
  OUT sessions bigint, OUT messages bigint) ${ATTRIBUTES} AS $$
DECLARE
  u agno_chat.users;
  gone bigint;
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  SELECT * INTO u FROM agno_chat.users x WHERE x.user_id = p_user FOR UPDATE;

  -- An earlier attempt of this call has already deleted it.
  SELECT c.sessions, c.messages INTO sessions, messages FROM agno_chat.clears c
    WHERE c.scope_hash = p_scope AND c.commit_id = p_commit;
  IF FOUND THEN RETURN; END IF;

  IF p_session IS NULL THEN
    DELETE FROM agno_chat.messages x WHERE x.user_id = p_user;
    DELETE FROM agno_chat.states x WHERE x.user_id = p_user;
    DELETE FROM agno_chat.sessions x WHERE x.user_id = p_user;
    DELETE FROM agno_chat.users x WHERE x.user_id = p_user;
    sessions := coalesce(u.sessions, 0);
    messages := coalesce(u.messages, 0);
  ELSE
    DELETE FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = p_session
      RETURNING x.session_key, 1, x.messages INTO gone, sessions, messages;
    DELETE FROM agno_chat.messages x WHERE x.user_id = p_user AND x.session_key = gone;
    DELETE FROM agno_chat.states x WHERE x.user_id = p_user AND x.session_key = gone;
    sessions := coalesce(sessions, 0);
    messages := coalesce(messages, 0);
    IF u.sessions = sessions THEN
      DELETE FROM agno_chat.users x WHERE x.user_id = p_user;
    ELSE
      UPDATE agno_chat.users x
        SET sessions = x.sessions - delete_v1.sessions, messages = x.messages - delete_v1.messages
        WHERE x.user_id = p_user AND delete_v1.sessions > 0;
    END IF;
  END IF;
  IF sessions > 0 THEN
    PERFORM agno_chat.record_clears(
      ARRAY[p_scope], ARRAY[sessions], ARRAY[messages], p_time, p_commit);
  END IF;
END $$;

-- Deletes those of p_users, ordered by id, whose last activity is still before p_before.
CREATE FUNCTION agno_chat.delete_idle_v1(
  p_users text[], p_scopes text[], p_before bigint, p_time bigint, p_commit uuid,
  OUT users bigint, OUT sessions bigint, OUT messages bigint) ${ATTRIBUTES} AS $$
DECLARE
  u agno_chat.users;
  deleted_scopes text[] := '{}';
  deleted_sessions bigint[] := '{}';
  deleted_messages bigint[] := '{}';
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  FOR i IN 1 .. cardinality(p_users) LOOP
    PERFORM set_config('agno_chat.user_id', p_users[i], true);
    -- Waits for a write in progress, then checks the condition again.
    DELETE FROM agno_chat.users x WHERE x.user_id = p_users[i] AND x.last_activity < p_before
      RETURNING x.* INTO u;
    CONTINUE WHEN NOT FOUND;
    DELETE FROM agno_chat.messages x WHERE x.user_id = p_users[i];
    DELETE FROM agno_chat.states x WHERE x.user_id = p_users[i];
    DELETE FROM agno_chat.sessions x WHERE x.user_id = p_users[i];
    deleted_scopes := deleted_scopes || p_scopes[i];
    deleted_sessions := deleted_sessions || u.sessions;
    deleted_messages := deleted_messages || u.messages;
  END LOOP;
  IF cardinality(deleted_scopes) > 0 THEN
    PERFORM agno_chat.record_clears(
      deleted_scopes, deleted_sessions, deleted_messages, p_time, p_commit);
  END IF;
  -- Includes the users that an earlier attempt of this call has deleted.
  SELECT coalesce(sum(c.users), 0), coalesce(sum(c.sessions), 0), coalesce(sum(c.messages), 0)
    INTO users, sessions, messages FROM agno_chat.clears c
    WHERE c.scope_hash = ANY (p_scopes) AND c.commit_id = p_commit;
END $$;

-- TRUNCATE, since row security lets a DELETE see one user at most.
CREATE FUNCTION agno_chat.delete_all_v1(
  p_time bigint, p_commit uuid,
  OUT users bigint, OUT sessions bigint, OUT messages bigint) ${ATTRIBUTES} AS $$
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  LOCK TABLE agno_chat.users, agno_chat.sessions, agno_chat.messages, agno_chat.states
    IN ACCESS EXCLUSIVE MODE;
  SELECT c.users, c.sessions, c.messages INTO users, sessions, messages FROM agno_chat.clears c
    WHERE c.scope_hash = 'all' AND c.commit_id = p_commit;
  IF FOUND THEN RETURN; END IF;

  PERFORM set_config('agno_chat.list', 'users', true);
  SELECT count(*), coalesce(sum(x.sessions), 0), coalesce(sum(x.messages), 0)
    INTO users, sessions, messages FROM agno_chat.users x;
  PERFORM set_config('agno_chat.list', '', true);
  IF users = 0 THEN RETURN; END IF;
  TRUNCATE agno_chat.users, agno_chat.sessions, agno_chat.messages, agno_chat.states;
  UPDATE agno_chat.generations SET generation = generation + 1, forgotten = generation + 1;
  DELETE FROM agno_chat.clears;
  INSERT INTO agno_chat.clears
    SELECT 'all', x.generation, p_time, p_commit, users, sessions, messages
    FROM agno_chat.generations x;
END $$;
`;
