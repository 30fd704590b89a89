import { ATTRIBUTES } from "./attributes.js";

export const WRITES = `
-- p_runs: NULL for a message that belongs to the session's latest run; run returns that run.
-- p_bytes: sizes as if each message had the id 0 and the run "". outcome: STORED, or the reason why
-- nothing was stored.
CREATE FUNCTION agno_chat.write_v1(
  p_user text, p_session text, p_time bigint, p_commit uuid, p_is_repeat boolean,
  p_generation bigint, p_scopes text[], p_expected_keys text[], p_expected_values text[],
  p_replaced_run text, p_new_run text,
  p_roles text[], p_runs text[], p_created bigint[], p_bytes bigint[], p_characters bigint[],
  p_bodies text[], p_keys text[], p_values text[],
  OUT outcome text, OUT first_id bigint, OUT run text) ${ATTRIBUTES} AS $$
DECLARE
  n int := cardinality(p_bodies);
  changes int := cardinality(p_keys);
  u agno_chat.users;
  s agno_chat.sessions;
  g agno_chat.generations;
  own_run text := p_runs[n];
  taken bigint := 0;
  more_runs bigint;
  more_bytes bigint;
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);

  -- Only the holder of the user's row writes. From here on, every statement sees what the previous
  -- holder committed.
  LOOP
    SELECT * INTO u FROM agno_chat.users x WHERE x.user_id = p_user FOR UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO agno_chat.users AS x VALUES (p_user, 1, 1, 0, 0, p_time)
      ON CONFLICT (user_id) DO NOTHING RETURNING x.* INTO u;
    EXIT WHEN FOUND;
  END LOOP;
  SELECT * INTO s FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = p_session;
  SELECT * INTO g FROM agno_chat.generations;

  -- An earlier attempt has already stored it. A delayed attempt may even arrive after a later one.
  IF s.session_key IS NOT NULL THEN
    IF n = 0 AND p_commit = ANY (s.state_commits) THEN
      outcome := 'STORED';
      RETURN;
    END IF;
    SELECT x.message_id INTO first_id FROM (
      SELECT m.message_id, m.commit_id FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key
      ORDER BY m.message_id DESC LIMIT CASE WHEN p_is_repeat THEN NULL ELSE 64 END) x
    WHERE x.commit_id = p_commit;
    IF FOUND THEN
      outcome := 'STORED';
      SELECT m.run INTO run FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key
        AND m.message_id = first_id + array_position(p_runs, NULL) - 1;
      RETURN;
    END IF;
  END IF;

  IF p_generation <> g.generation AND (s.born IS NULL OR s.born > p_generation) AND (
      p_generation < g.forgotten OR p_generation > g.generation OR EXISTS (
        SELECT FROM agno_chat.clears c
        WHERE c.scope_hash = ANY (p_scopes) AND c.generation > p_generation)) THEN
    outcome := 'HISTORY_CLEARED';
  ELSIF cardinality(p_expected_keys) > 0 AND EXISTS (
      SELECT FROM unnest(p_expected_keys, p_expected_values) AS e (key, value)
      LEFT JOIN agno_chat.states x ON x.user_id = p_user AND x.session_key = s.session_key
        AND x.key_hash = sha256(convert_to(e.key, 'UTF8'))
      WHERE x.value IS DISTINCT FROM e.value) THEN
    outcome := 'STATE_CONFLICT';
  ELSIF p_replaced_run IS NOT NULL AND p_replaced_run IS DISTINCT FROM (
      SELECT m.run FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.role <> 'system'
      ORDER BY m.message_id DESC LIMIT 1) THEN
    outcome := 'RUN_CONFLICT';
  ELSIF n = 0 AND changes = 0 THEN
    outcome := 'STORED';
  END IF;
  IF outcome IS NOT NULL THEN
    IF u.sessions = 0 THEN DELETE FROM agno_chat.users x WHERE x.user_id = p_user; END IF;
    RETURN;
  END IF;

  outcome := 'STORED';
  first_id := u.next_message_id;
  run := coalesce(s.latest_run, p_new_run);
  IF s.session_key IS NULL THEN
    INSERT INTO agno_chat.sessions AS x VALUES (
      p_user, p_session, u.next_session_key, g.generation, 0, 0, 0, 0, p_time, NULL, '{}')
      RETURNING x.* INTO s;
    u.sessions := u.sessions + 1;
    u.next_session_key := u.next_session_key + 1;
  END IF;

  IF p_replaced_run IS NOT NULL THEN
    WITH gone AS (
      DELETE FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.role <> 'system'
        AND m.message_id > coalesce((
          SELECT x.message_id FROM agno_chat.messages x
          WHERE x.user_id = p_user AND x.session_key = s.session_key AND x.role <> 'system'
            AND x.run <> p_replaced_run
          ORDER BY x.message_id DESC LIMIT 1), 0)
      RETURNING m.role, m.bytes)
    SELECT count(*), s.runs - count(*) FILTER (WHERE gone.role = 'user'), s.bytes - sum(gone.bytes)
      INTO taken, s.runs, s.bytes FROM gone;
  END IF;

  IF n > 0 THEN
    WITH added AS (
      INSERT INTO agno_chat.messages AS m
        SELECT p_user, s.session_key, first_id + x.index - 1, x.created,
          x.bytes + length((first_id + x.index - 1)::text) - 1
            + octet_length(coalesce(x.run, write_v1.run)) - 2,
          x.characters, CASE x.index WHEN 1 THEN p_commit END,
          x.role, coalesce(x.run, write_v1.run), x.body
        FROM unnest(p_roles, p_runs, p_created, p_bytes, p_characters, p_bodies) WITH ORDINALITY
          AS x (role, run, created, bytes, characters, body, index)
      RETURNING m.role, m.bytes)
    SELECT count(*) FILTER (WHERE added.role = 'user'), sum(added.bytes)
      INTO more_runs, more_bytes FROM added;
  END IF;

  IF changes > 0 THEN
    DELETE FROM agno_chat.states x
      USING unnest(p_keys, p_values) AS c (key, value)
      WHERE x.user_id = p_user AND x.session_key = s.session_key AND c.value IS NULL
        AND x.key_hash = sha256(convert_to(c.key, 'UTF8'));
    INSERT INTO agno_chat.states AS x
      SELECT p_user, s.session_key, sha256(convert_to(c.key, 'UTF8')), c.key, c.value
      FROM unnest(p_keys, p_values) AS c (key, value) WHERE c.value IS NOT NULL
      ON CONFLICT (user_id, session_key, key_hash) DO UPDATE SET value = excluded.value;
  END IF;

  IF n = 0 AND s.messages = 0 AND NOT EXISTS (
      SELECT FROM agno_chat.states x
      WHERE x.user_id = p_user AND x.session_key = s.session_key) THEN
    DELETE FROM agno_chat.sessions x WHERE x.user_id = p_user AND x.session_id = p_session;
    u.sessions := u.sessions - 1;
  ELSE
    UPDATE agno_chat.sessions x SET
      total = x.total + n - taken,
      messages = x.messages + n - taken,
      runs = s.runs + coalesce(more_runs, 0),
      bytes = s.bytes + coalesce(more_bytes, 0),
      last_activity = greatest(x.last_activity, p_time),
      latest_run = CASE n WHEN 0 THEN x.latest_run ELSE coalesce(own_run, write_v1.run) END,
      state_commits = CASE n WHEN 0 THEN (p_commit || x.state_commits)[1:16] ELSE x.state_commits END
    WHERE x.user_id = p_user AND x.session_id = p_session;
  END IF;

  IF u.sessions = 0 THEN
    DELETE FROM agno_chat.users x WHERE x.user_id = p_user;
  ELSE
    UPDATE agno_chat.users x SET
      next_message_id = first_id + n,
      next_session_key = u.next_session_key,
      sessions = u.sessions,
      messages = x.messages + n - taken,
      last_activity = greatest(x.last_activity, p_time)
    WHERE x.user_id = p_user;
  END IF;
END $$;

-- At stricter isolation levels, a statement that waited for another transaction still sees the rows
-- from before it, so a write could restore what was deleted meanwhile.
CREATE FUNCTION agno_chat.refuse_old_snapshot() RETURNS void ${ATTRIBUTES} AS $$
BEGIN
  IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
    RAISE EXCEPTION 'writes need READ COMMITTED' USING ERRCODE = 'AG003';
  END IF;
END $$;
`;
