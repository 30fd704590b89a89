import { ATTRIBUTES } from "./attributes.js";

/**
 * What users may use and have used, counted over all servers by the database's clock. A run locks
 * the user's row of `spending` before their rows of `runs`, and after everything else.
 *
 * - `limits`: of users who have their own. NULL: that of everybody.
 * - `spending`: tokens of a UTC day, and requests of the minute that began then. `settled` holds
 *   the latest runs that were counted, because a call is repeated when its answer is lost.
 * - `runs`: those under way. A server that was killed renews its own no longer.
 */
export const LIMITS = `
CREATE TABLE agno_chat.limits (
  user_id text COLLATE "C" PRIMARY KEY,
  requests_per_minute bigint,
  runs_at_once bigint,
  tokens_per_day bigint,
  bytes_kept bigint);

CREATE TABLE agno_chat.spending (
  user_id text COLLATE "C" PRIMARY KEY,
  day date NOT NULL,
  tokens bigint NOT NULL,
  minute timestamptz NOT NULL,
  requests bigint NOT NULL,
  settled uuid[] NOT NULL) WITH (fillfactor = 50);
CREATE INDEX spending_by_day ON agno_chat.spending (day);

CREATE TABLE agno_chat.runs (
  user_id text COLLATE "C" NOT NULL,
  run_id uuid NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, run_id));

${["limits", "spending", "runs"]
  .map(
    (table) => `
ALTER TABLE agno_chat.${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON agno_chat.${table}
  USING (user_id = current_setting('agno_chat.user_id', true));`,
  )
  .join("")}
CREATE POLICY list ON agno_chat.limits FOR SELECT
  USING (current_setting('agno_chat.list', true) = 'limits');
CREATE POLICY left_behind ON agno_chat.spending
  USING (current_setting('agno_chat.list', true) = 'spending'
    AND day < (clock_timestamp() AT TIME ZONE 'UTC')::date - 1);
CREATE POLICY left_behind ON agno_chat.runs
  USING (current_setting('agno_chat.list', true) = 'spending' AND expires_at < clock_timestamp());

-- What counts now. p_limits and limits: tokens a day, requests a minute, runs at once, bytes kept;
-- those of everybody, and those of the user. Bytes are summed up if limited or asked for.
CREATE FUNCTION agno_chat.use_v1(p_user text, p_limits bigint[], p_with_bytes boolean,
  OUT limits bigint[], OUT used bigint[], OUT waits bigint[], OUT today date,
  OUT minute_began timestamptz) ${ATTRIBUTES} AS $$
DECLARE
  at timestamptz := clock_timestamp();
  own agno_chat.limits;
  s agno_chat.spending;
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  today := (at AT TIME ZONE 'UTC')::date;
  SELECT * INTO own FROM agno_chat.limits x WHERE x.user_id = p_user;
  limits := ARRAY[
    coalesce(own.tokens_per_day, p_limits[1]), coalesce(own.requests_per_minute, p_limits[2]),
    coalesce(own.runs_at_once, p_limits[3]), coalesce(own.bytes_kept, p_limits[4])];
  SELECT * INTO s FROM agno_chat.spending x WHERE x.user_id = p_user;
  IF s.requests = 0 OR s.minute <= at - interval '1 min' THEN s.minute := NULL; END IF;
  minute_began := coalesce(s.minute, at);
  used := ARRAY[
    CASE s.day WHEN today THEN s.tokens ELSE 0 END,
    CASE WHEN s.minute IS NULL THEN 0 ELSE s.requests END,
    (SELECT count(*) FROM agno_chat.runs x WHERE x.user_id = p_user AND x.expires_at > at),
    CASE WHEN p_with_bytes OR limits[4] IS NOT NULL THEN (
      SELECT coalesce(sum(x.bytes), 0)::bigint FROM agno_chat.sessions x WHERE x.user_id = p_user)
      ELSE 0 END];
  waits := ARRAY[
    ceil(extract(epoch FROM minute_began + interval '1 min' - at) * 1000)::bigint,
    ceil(extract(epoch FROM ((today + 1)::timestamp AT TIME ZONE 'UTC') - at) * 1000)::bigint];
END $$;

-- Reads as read_v1 does, and admits the run. The first row says whether and why: [limits, used,
-- waits, is_admitted]. A user without limits has no such row.
CREATE FUNCTION agno_chat.admit_run_v1(
  p_user text, p_session text, p_limit bigint, p_run uuid, p_ms bigint, p_limits bigint[])
RETURNS TABLE (use json, line text) ${ATTRIBUTES} AS $$
DECLARE
  u record;
  is_new boolean;
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  IF array_remove(p_limits, NULL) = '{}' AND NOT EXISTS (
      SELECT FROM agno_chat.limits x WHERE x.user_id = p_user) THEN
    RETURN QUERY SELECT NULL::json, r FROM agno_chat.read_v1(p_user, p_session, p_limit) r;
    RETURN;
  END IF;

  PERFORM agno_chat.refuse_old_snapshot();
  -- If a crash of the database loses it, the run goes on uncounted.
  PERFORM set_config('synchronous_commit', 'off', true);
  LOOP
    PERFORM FROM agno_chat.spending x WHERE x.user_id = p_user FOR UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO agno_chat.spending
      VALUES (p_user, (clock_timestamp() AT TIME ZONE 'UTC')::date, 0, '-infinity', 0, '{}')
      ON CONFLICT (user_id) DO NOTHING;
    EXIT WHEN FOUND;
  END LOOP;
  DELETE FROM agno_chat.runs x
    WHERE x.user_id = p_user AND x.expires_at < clock_timestamp() AND x.run_id <> p_run;
  SELECT * INTO u FROM agno_chat.use_v1(p_user, p_limits, false);
  is_new := NOT EXISTS (
    SELECT FROM agno_chat.runs x WHERE x.user_id = p_user AND x.run_id = p_run);
  IF is_new THEN
    IF u.used[1] >= u.limits[1] OR u.used[2] >= u.limits[2] OR u.used[3] >= u.limits[3]
        OR u.used[4] >= u.limits[4] THEN
      RETURN QUERY SELECT json_build_array(u.limits, u.used, u.waits, false), NULL::text;
      RETURN;
    END IF;
    UPDATE agno_chat.spending x SET
        day = u.today, tokens = u.used[1], minute = u.minute_began, requests = u.used[2] + 1
      WHERE x.user_id = p_user;
    u.used := ARRAY[u.used[1], u.used[2] + 1, u.used[3] + 1, u.used[4]];
  END IF;
  INSERT INTO agno_chat.runs
    VALUES (p_user, p_run, clock_timestamp() + p_ms * interval '1 ms')
    ON CONFLICT (user_id, run_id) DO UPDATE SET expires_at = excluded.expires_at;
  RETURN QUERY SELECT json_build_array(u.limits, u.used, u.waits, true), NULL::text;
  RETURN QUERY SELECT NULL::json, r FROM agno_chat.read_v1(p_user, p_session, p_limit) r;
END $$;

-- The same once the lease is free, which is taken; until then no rows, and nothing is counted.
CREATE FUNCTION agno_chat.admit_leased_v1(
  p_holder uuid, p_lease_ms bigint,
  p_user text, p_session text, p_limit bigint, p_run uuid, p_ms bigint, p_limits bigint[])
RETURNS TABLE (fence bigint, use json, line text) ${ATTRIBUTES} AS $$
DECLARE
  taken bigint;
BEGIN
  SELECT l.fence INTO taken
    FROM agno_chat.take_lease_v1(p_user, p_session, 0, p_holder, p_lease_ms) l LIMIT 1;
  IF taken IS NULL THEN RETURN; END IF;
  RETURN QUERY SELECT taken, a.use, a.line
    FROM agno_chat.admit_run_v1(p_user, p_session, p_limit, p_run, p_ms, p_limits) a;
END $$;

CREATE FUNCTION agno_chat.renew_run_v1(p_user text, p_run uuid, p_ms bigint)
RETURNS void ${ATTRIBUTES} AS $$
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE agno_chat.runs x SET expires_at = clock_timestamp() + p_ms * interval '1 ms'
    WHERE x.user_id = p_user AND x.run_id = p_run;
END $$;

CREATE FUNCTION agno_chat.settle_run_v1(p_user text, p_run uuid, p_tokens bigint)
RETURNS void ${ATTRIBUTES} AS $$
DECLARE
  today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  INSERT INTO agno_chat.spending AS s
    VALUES (p_user, today, p_tokens, '-infinity', 0, ARRAY[p_run])
    ON CONFLICT (user_id) DO UPDATE SET
      day = today,
      tokens = CASE s.day WHEN today THEN s.tokens ELSE 0 END + p_tokens,
      settled = (p_run || s.settled)[1:16]
    WHERE NOT p_run = ANY (s.settled);
  DELETE FROM agno_chat.runs x WHERE x.user_id = p_user AND x.run_id = p_run;
END $$;

-- write_v1, or write_leased_v1 if there is a holder, which settles the run when it is stored.
CREATE FUNCTION agno_chat.write_run_v1(
  p_settled uuid, p_tokens bigint, p_holder uuid, p_fence bigint,
  p_user text, p_session text, p_time bigint, p_commit uuid, p_is_repeat boolean,
  p_generation bigint, p_scopes text[], p_expected_keys text[], p_expected_values text[],
  p_replaced_run text, p_new_run text,
  p_roles text[], p_runs text[], p_created bigint[], p_bytes bigint[], p_characters bigint[],
  p_bodies text[], p_keys text[], p_values text[],
  OUT outcome text, OUT first_id bigint, OUT run text) ${ATTRIBUTES} AS $$
BEGIN
  IF p_holder IS NULL THEN
    SELECT w.* INTO outcome, first_id, run FROM agno_chat.write_v1(
      p_user, p_session, p_time, p_commit, p_is_repeat, p_generation, p_scopes, p_expected_keys,
      p_expected_values, p_replaced_run, p_new_run, p_roles, p_runs, p_created, p_bytes,
      p_characters, p_bodies, p_keys, p_values) w;
  ELSE
    SELECT w.* INTO outcome, first_id, run FROM agno_chat.write_leased_v1(
      p_holder, p_fence,
      p_user, p_session, p_time, p_commit, p_is_repeat, p_generation, p_scopes, p_expected_keys,
      p_expected_values, p_replaced_run, p_new_run, p_roles, p_runs, p_created, p_bytes,
      p_characters, p_bodies, p_keys, p_values) w;
  END IF;
  IF outcome = 'STORED' THEN
    PERFORM agno_chat.settle_run_v1(p_user, p_settled, p_tokens);
  END IF;
END $$;

CREATE FUNCTION agno_chat.set_limits_v1(p_user text, p_limits bigint[])
RETURNS void ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  INSERT INTO agno_chat.limits AS x (
      user_id, tokens_per_day, requests_per_minute, runs_at_once, bytes_kept)
    VALUES (p_user, p_limits[1], p_limits[2], p_limits[3], p_limits[4])
    ON CONFLICT (user_id) DO UPDATE SET
      tokens_per_day = coalesce(excluded.tokens_per_day, x.tokens_per_day),
      requests_per_minute = coalesce(excluded.requests_per_minute, x.requests_per_minute),
      runs_at_once = coalesce(excluded.runs_at_once, x.runs_at_once),
      bytes_kept = coalesce(excluded.bytes_kept, x.bytes_kept);
END $$;

CREATE FUNCTION agno_chat.remove_limits_v1(p_user text) RETURNS boolean ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  DELETE FROM agno_chat.limits x WHERE x.user_id = p_user;
  RETURN FOUND;
END $$;

CREATE FUNCTION agno_chat.limits_v1()
RETURNS TABLE (user_id text, limits bigint[]) ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.list', 'limits', true);
  RETURN QUERY SELECT x.user_id,
      ARRAY[x.tokens_per_day, x.requests_per_minute, x.runs_at_once, x.bytes_kept]
    FROM agno_chat.limits x ORDER BY x.user_id;
  PERFORM set_config('agno_chat.list', '', true);
END $$;

-- With every delete, the ids go of users who have spent nothing since yesterday.
CREATE FUNCTION agno_chat.sweep_spending() RETURNS trigger ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.list', 'spending', true);
  DELETE FROM agno_chat.spending WHERE user_id IN (
    SELECT s.user_id FROM agno_chat.spending s
    WHERE s.day < (clock_timestamp() AT TIME ZONE 'UTC')::date - 1 FOR UPDATE SKIP LOCKED);
  DELETE FROM agno_chat.runs WHERE (user_id, run_id) IN (
    SELECT r.user_id, r.run_id FROM agno_chat.runs r
    WHERE r.expires_at < clock_timestamp() FOR UPDATE SKIP LOCKED);
  PERFORM set_config('agno_chat.list', '', true);
  RETURN NULL;
END $$;
CREATE TRIGGER sweep_spending AFTER DELETE OR TRUNCATE ON agno_chat.sessions
  FOR EACH STATEMENT EXECUTE FUNCTION agno_chat.sweep_spending();
`;
